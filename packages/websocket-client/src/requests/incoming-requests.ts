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

type AnyHandler = (data: never, envelope: never) => unknown;

/** Handles requests from the server. */
export class IncomingRequests {
	readonly #failures: Failures;
	readonly #handlers = new Map<string, { readonly handler: AnyHandler }>();

	constructor(failures: Failures) {
		this.#failures = failures;
	}

	/**
	 * Sets the handler for a message. Returns a function that removes it.
	 *
	 * @throws {InvalidMessageDefinitionError} the message is not a definition, or has no `reply`
	 * @throws {TypeError} the handler is not a function
	 * @throws {DuplicateHandlerError} the message already has a handler
	 */
	handle<TMessage extends RequestMessage>(message: TMessage, handler: RequestHandler<TMessage>): () => void {
		const { name, reply } = mustBeDefinition(message);
		if (reply === undefined) {
			throw new InvalidMessageDefinitionError(`${name} has no reply`);
		}
		mustBeFunction(handler, 'a handler');
		if (this.#handlers.has(name)) throw new DuplicateHandlerError(`${name} already has a handler`);
		const entry = { handler };
		this.#handlers.set(name, entry);
		return () => {
			if (this.#handlers.get(name) === entry) this.#handlers.delete(name);
		};
	}

	/** Handles a request and sends the reply. Never rejects. */
	async answer(connection: Connection, envelope: Envelope): Promise<void> {
		const { name, data, correlationId } = envelope;
		const send = (reply: object): void => {
			const text = encodeValues({ type: BuiltIn.reply, correlationId, ...reply }, TypeError);
			const excess = connection.excess(utf8Bytes(text));
			if (excess !== undefined) throw new SocketError('too_large', excess);
			connection.reply(text);
		};
		const refuse = (code: string, message: string): void => send({ error: { code, message } });
		const handler = this.#handlers.get(name)?.handler;
		if (handler === undefined) return refuse('unknown_type', `No handler for ${name}`);
		try {
			send({ data: await handler(data as never, envelope as never) });
		} catch (error) {
			if (error instanceof SocketError) return refuse(error.code, error.message);
			this.#failures.report(error, 'handler');
			refuse('internal', 'The client failed');
		}
	}
}
