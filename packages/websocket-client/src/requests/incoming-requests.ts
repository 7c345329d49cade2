import {
	BuiltIn,
	encodeValues,
	type Envelope,
	type InferInput,
	type InferOutput,
	InvalidMessageDefinitionError,
	mustBeDefinition,
	type RequestMessage,
	SocketError,
} from '@orijs/websocket/protocol';
import type { Connection } from '../connection/connection.ts';
import { DuplicateHandlerError } from '../errors.ts';
import type { Failures } from '../failures.ts';
import { mustBeFunction } from '../support/must-be-function.ts';
import { utf8Bytes } from '../support/utf8-bytes.ts';

/**
 * Answers a request from the server. If it throws, the request is refused. The code of the refusal is that of the
 * thrown `SocketError`, or `internal` for any other error.
 */
export type RequestHandler<TMessage extends RequestMessage> = (
	data: InferOutput<TMessage['data']>,
	envelope: Envelope<InferOutput<TMessage['data']>>,
) => InferInput<TMessage['reply']> | Promise<InferInput<TMessage['reply']>>;

/** The handlers, by message name. Each is wrapped, so that setting the same one again makes a new entry. */
export type Handlers = Map<string, { readonly handler: (data: never, envelope: never) => unknown }>;

/**
 * Sets the handler for a message. Returns a function that removes it.
 *
 * @throws {InvalidMessageDefinitionError} the message is not a definition, or has no `reply`
 * @throws {TypeError} the handler is not a function
 * @throws {DuplicateHandlerError} the message already has a handler
 */
export function addHandler<TMessage extends RequestMessage>(
	handlers: Handlers,
	message: TMessage,
	handler: RequestHandler<TMessage>,
): () => void {
	const { name, reply } = mustBeDefinition(message);
	if (!reply) throw new InvalidMessageDefinitionError(`${name} has no reply`);
	mustBeFunction(handler, 'a handler');
	if (handlers.has(name)) throw new DuplicateHandlerError(`${name} already has a handler`);
	const entry = { handler };
	handlers.set(name, entry);
	return () => {
		if (handlers.get(name) === entry) handlers.delete(name);
	};
}

/** Handles a request and sends the reply. Never rejects. */
export async function answerRequest(
	handlers: Handlers,
	failures: Failures,
	connection: Connection,
	envelope: Envelope,
): Promise<void> {
	const { name, data, correlationId } = envelope;
	const send = (reply: object): void => {
		const text = encodeValues({ type: BuiltIn.reply, correlationId, ...reply }, TypeError);
		const excess = connection.excess(utf8Bytes(text));
		if (excess) throw new SocketError('too_large', excess);
		connection.reply(text);
	};
	const refuse = (code: string, message: string): void => {
		try {
			send({ error: { code, message } });
		} catch (error) {
			// The text is too large, or even the code alone.
			if (message) refuse(code, '');
			else failures.report(error, 'handler');
		}
	};
	try {
		const entry = handlers.get(name);
		if (!entry) throw new SocketError('unknown_type', `No handler for ${name}`);
		const { handler } = entry;
		send({ data: await handler(data as never, envelope as never) });
	} catch (thrown) {
		const isRefusal = thrown instanceof SocketError;
		if (!isRefusal) failures.report(thrown, 'handler');
		const { code, message } = isRefusal ? thrown : { code: 'internal', message: 'The client failed' };
		refuse(code, message);
	}
}
