import { MessageValidationError, SocketError } from '../protocol/errors.ts';
import { validateReply, validateToSend } from '../protocol/envelope.ts';
import { encodeFrame } from '../protocol/encode-frame.ts';
import { mustBeDefinition, mustHaveSchema, type SocketMessage } from '../protocol/message.ts';
import { CallOrder } from '../support/call-order.ts';
import { toError } from '../support/promises.ts';
import type { NodeMessageContext } from './cluster-contract.ts';
import { DuplicateNodeHandlerError } from './errors.ts';

type Handler = (data: unknown, context: NodeMessageContext) => unknown;

interface Entry {
	readonly message: SocketMessage;
	readonly handler: Handler;
	/** Keeps the messages of each node in order, although they are validated. */
	readonly order: CallOrder<string>;
}

/** No code that a handler's `SocketError` can have. */
export const NO_HANDLER = 'no handler';

/** Why a node has not replied to a request. */
export interface NodeFault {
	/** {@link NO_HANDLER}, or as in {@link NodeRequestError}. */
	readonly code: string;
	readonly message: string;
}

/** This node's handlers of messages from nodes. */
export class NodeHandlers {
	readonly #byName = new Map<string, readonly Entry[]>();
	readonly #onError: (thrown: unknown, messageName: string) => void;

	/** @param onError called when a handler has thrown or rejected, or data does not match its schema */
	constructor(onError: (thrown: unknown, messageName: string) => void) {
		this.#onError = onError;
	}

	/**
	 * Returns a function that removes the handler.
	 *
	 * @throws {InvalidMessageDefinitionError} {DuplicateNodeHandlerError}
	 */
	add(message: SocketMessage, handler: Handler): () => void {
		mustHaveSchema(mustBeDefinition(message));
		const { name } = message;
		const entries = this.#byName.get(name) ?? [];
		if (message.reply !== undefined && entries.some((entry) => entry.message.reply !== undefined))
			throw new DuplicateNodeHandlerError(name);
		const added: Entry = { message, handler, order: new CallOrder() };
		this.#byName.set(name, [...entries, added]);
		return () => {
			const left = (this.#byName.get(name) ?? []).filter((entry) => entry !== added);
			if (left.length === 0) this.#byName.delete(name);
			else this.#byName.set(name, left);
		};
	}

	/** Passes a message that has no answer to all its handlers. Never throws. */
	deliver(name: string, data: unknown, from: string): void {
		for (const entry of this.#byName.get(name) ?? [])
			this.#call(entry, data, from).catch((thrown: unknown) => this.#failed(thrown, name));
	}

	/** Passes a request to its handler. Resolves with the encoded content of the answer. Never rejects. */
	async answer(name: string, data: unknown, from: string): Promise<string> {
		const entry = this.#byName.get(name)?.find(({ message }) => message.reply !== undefined);
		if (entry === undefined) return encodeFault({ code: NO_HANDLER, message: '' });
		let reply: unknown;
		try {
			reply = await this.#call(entry, data, from);
		} catch (thrown) {
			return encodeFault(this.#faultOf(thrown, name));
		}
		try {
			// The requesting node gets what the schema makes of it, so it is sent as it is.
			await validateReply(entry.message, reply);
			return encodeFrame(name, { data: reply });
		} catch (thrown) {
			this.#onError(thrown, name);
			return encodeFault({ code: 'invalid_reply', message: toError(thrown).message });
		}
	}

	/** Validates the data, and calls the handler. */
	async #call({ message, handler, order }: Entry, data: unknown, from: string): Promise<unknown> {
		return order.run(from, validated(message, data), (valid) => handler(valid, { from }));
	}

	#faultOf(thrown: unknown, name: string): NodeFault {
		if (thrown instanceof SocketError) return { code: thrown.code, message: thrown.message };
		this.#failed(thrown, name);
		return thrown instanceof InvalidDataError
			? { code: 'invalid_data', message: thrown.message }
			: { code: 'internal', message: 'its handler failed; its log says why' };
	}

	#failed(thrown: unknown, name: string): void {
		this.#onError(thrown instanceof InvalidDataError ? thrown.cause : thrown, name);
	}
}

/** What was received does not match the schema. */
class InvalidDataError extends Error {}

function validated(message: SocketMessage, data: unknown): unknown {
	try {
		const valid: unknown = validateToSend(message, data);
		return valid instanceof Promise ? valid.catch(invalid) : valid;
	} catch (thrown) {
		return invalid(thrown);
	}
}

function invalid(cause: unknown): never {
	if (!(cause instanceof MessageValidationError)) throw cause;
	throw new InvalidDataError(cause.message, { cause });
}

function encodeFault(error: NodeFault): string {
	return JSON.stringify({ error });
}
