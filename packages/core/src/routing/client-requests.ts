import type { WebSocketProvider } from '@orijs/websocket';
import { CallOrder, escapeText, type FailureLog, quiet, show } from '@orijs/websocket/internal';
import {
	type InferInput,
	type InferOutput,
	InvalidMessageDefinitionError,
	SocketRequestError,
	type RequestMessage,
	type SocketMessage,
	validateReply,
	validateToSend,
} from '@orijs/websocket/protocol';
import { ApplicationError } from '../errors.ts';
import { checkOptions } from '../support/check-options.ts';
import { MAX_DELAY_MS } from '../limits.ts';
import type { Refusals } from '../refusals.ts';
import { encodeMessage } from './encode-message.ts';
import {
	type ClientReply,
	encodeForwardedReply,
	type ForwardedReply,
	readForwardedReply,
	requestingNode,
} from './forwarded-reply.ts';
import { PendingRequests } from './pending-requests.ts';

export interface RequestOptions {
	/** How long to wait for the client's reply, in milliseconds: above 0, at most 2^31 - 1. Default 10,000. */
	readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 10_000;

/**
 * Sends this node's requests to clients, which can be connected to any node, and receives the replies. A reply that
 * reaches another node is forwarded to the requesting node, whose id is part of the correlation id.
 */
export class ClientRequests {
	readonly #provider: WebSocketProvider;
	readonly #limit: number;
	readonly #refusals: Refusals;
	readonly #canReply: () => boolean;
	readonly #pending = new PendingRequests();
	/** Keeps the messages to each socket in call order, by socket id, even if schemas validate asynchronously. */
	readonly order: CallOrder<string> = new CallOrder();
	/** Logs failed calls whose promises are not awaited. */
	readonly calls: FailureLog;
	#count = 0;

	/**
	 * @param limit the maximum number of pending requests to one socket
	 * @param calls logs failed calls whose promises are not awaited
	 * @param canReply returns whether clients can reply, which requires typed messages
	 */
	constructor(
		provider: WebSocketProvider,
		limit: number,
		refusals: Refusals,
		calls: FailureLog,
		canReply: () => boolean,
	) {
		this.#provider = provider;
		this.#limit = limit;
		this.#refusals = refusals;
		this.calls = calls;
		this.#canReply = canReply;
	}

	/**
	 * Sends a request to a client on any node and resolves with its reply.
	 *
	 * @throws {SocketRequestError} with the error code the client replied with, or with `disconnected` (the client
	 * disconnected from this node, or the application stopped), `timeout` (also if the client disconnected from another
	 * node), `invalid_reply` or `too_many_requests`
	 * @throws {MessageValidationError} `data` does not match the schema
	 * @throws {UnsupportedValueError} `data` has a value that can't be sent
	 * @throws {InvalidMessageDefinitionError} the message has no `reply`, or no schema
	 * @throws {UnknownSocketError} the socket does not exist; the request was not sent. This also applies to all other
	 * errors of `send`
	 */
	request<T extends RequestMessage>(
		socketId: string,
		message: T,
		data: InferInput<T['data']>,
		options: RequestOptions = {},
	): Promise<InferOutput<T['reply']>> {
		return this.calls.watch(this.ask(socketId, message, data, options));
	}

	/** Like {@link request}, but a failure is not logged if the promise is not awaited. */
	ask<T extends RequestMessage>(
		socketId: string,
		message: T,
		data: InferInput<T['data']>,
		options: RequestOptions = {},
	): Promise<InferOutput<T['reply']>> {
		return quiet(this.#request(socketId, message, data, options) as Promise<never>);
	}

	async #request(socketId: string, message: SocketMessage, data: unknown, options: RequestOptions): Promise<unknown> {
		checkOptions('request()', options, ['timeoutMs']);
		const { timeoutMs = DEFAULT_TIMEOUT_MS } = options;
		if (typeof timeoutMs !== 'number' || !(timeoutMs > 0 && timeoutMs <= MAX_DELAY_MS)) {
			throw new RangeError(
				`timeoutMs must be a number of milliseconds above 0 and up to ${MAX_DELAY_MS}, not ${show(timeoutMs)}`,
			);
		}
		if (!this.#canReply()) {
			throw new ApplicationError(
				'request() works only with typed messages: add a socketRouter(), or set the `authorize` option',
			);
		}
		const checked: unknown = validateToSend(message, data);
		if (message.reply === undefined) {
			throw new InvalidMessageDefinitionError(`${message.name} has no reply, so it can't be a request`);
		}
		const reply = await this.order.run(socketId, checked, (valid) => this.#send(socketId, message, valid, timeoutMs));
		if (reply.error !== undefined) throw clientError(message.name, reply.error);
		try {
			return await validateReply(message, reply.data);
		} catch (cause) {
			throw new SocketRequestError(message.name, 'invalid_reply', 'the reply does not match its schema', { cause });
		}
	}

	#send(socketId: string, message: SocketMessage, data: unknown, timeoutMs: number): Promise<ClientReply> {
		const { name } = message;
		const ofSocket = this.#pending.ofSocket(socketId);
		if (ofSocket.size >= this.#limit) {
			this.#refusals.add('requests', { socketId, type: name });
			throw new SocketRequestError(name, 'too_many_requests', `the client has ${this.#limit} pending requests`);
		}
		const correlationId = `${this.#provider.nodeId}.${++this.#count}`;
		const envelope = encodeMessage(message, data, correlationId);
		const reply = this.#pending.add(correlationId, name, socketId, ofSocket, timeoutMs);
		this.#provider.send(socketId, envelope).catch((error: Error) => this.#pending.fail(correlationId, error));
		return reply;
	}

	/** Returns whether this node is waiting for the socket's reply to a request. */
	isPending(socketId: string, correlationId: string | undefined): boolean {
		return correlationId !== undefined && this.#pending.ofSocket(socketId).has(correlationId);
	}

	/**
	 * Handles the reply of a client of this node to a request from this or another node. Returns `settled` if the
	 * request was pending here, `ignored` if it may be pending elsewhere or is no longer pending, and `invalid` if no
	 * node can have sent it.
	 */
	receiveReply(
		socketId: string,
		correlationId: string,
		{ data, error }: ClientReply,
	): 'settled' | 'ignored' | 'invalid' {
		const nodeId = requestingNode(correlationId);
		if (nodeId === undefined) return 'invalid';
		const reply: ForwardedReply = { socketId, correlationId, data, error };
		if (nodeId === this.#provider.nodeId) return this.#pending.settle(reply) ? 'settled' : 'ignored';
		// If forwarding fails, the request times out; the provider logs the cause.
		this.#provider.sendToNode(nodeId, encodeForwardedReply(reply)).catch(() => {});
		return 'ignored';
	}

	/** Receives a message from another node, which may be a forwarded reply. */
	receiveNodeMessage(text: string): void {
		const reply = readForwardedReply(text);
		if (reply !== undefined) this.#pending.settle(reply);
	}

	/** Rejects the pending requests to a socket of this node that has closed. */
	disconnect(socketId: string): void {
		this.#pending.disconnect(socketId);
	}

	/** Rejects all pending requests: no more replies will arrive. */
	close(): void {
		this.#pending.close();
	}
}

/** Creates the error for a client's error reply, which can be any value. */
function clientError(messageName: string, error: unknown): SocketRequestError {
	const { code, message } = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>;
	return new SocketRequestError(
		messageName,
		// A client can reply with anything, and the error may end up in a log.
		typeof code === 'string' && code.length <= 64 ? escapeText(code) : 'internal',
		typeof message === 'string' ? escapeText(message.slice(0, 256)) : 'the client replied with an error',
	);
}
