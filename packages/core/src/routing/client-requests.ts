import type { WebSocketProvider } from '@orijs/websocket';
import { type CallOrder, escapeText, type FailureLog, isSpeaker, quiet, show } from '@orijs/websocket/internal';
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
import { checkOptions } from '../support/check-options.ts';
import { MAX_DELAY_MS } from '../limits.ts';
import type { Refusals } from '../refusals.ts';
import { encodeMessage } from './encode-message.ts';
import { type ClientReply, encodeNodeMessage } from './node-messages.ts';
import { HAS_STOPPED, PendingRequests } from './pending-requests.ts';
import { RequestExchange, type Requester } from './request-exchange.ts';
import { IS_PLAIN } from './remote-requests.ts';

export interface RequestOptions {
	/** How long to wait for the client's reply, in milliseconds: above 0, at most 2^31 - 1. Default 10,000. */
	readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 10_000;

/**
 * Sends an endpoint's requests to clients, and receives the replies. A request to a client of another node is sent to
 * that node, which passes it on and returns the reply, or says that the client has left. The id of the requesting node
 * is part of the correlation id.
 */
export class ClientRequests implements Requester {
	readonly pending: PendingRequests = new PendingRequests();
	readonly limit: number;
	readonly #provider: WebSocketProvider;
	readonly #exchange: RequestExchange;
	readonly #refusals: Refusals;
	/** Logs failed calls whose promises are not awaited. */
	readonly calls: FailureLog;
	#isClosed = false;

	/**
	 * @param limit the maximum number of pending requests to one socket: of this node, and of all others together
	 * @param calls logs failed calls whose promises are not awaited
	 */
	constructor(provider: WebSocketProvider, limit: number, refusals: Refusals, calls: FailureLog) {
		this.#provider = provider;
		this.#exchange = RequestExchange.of(provider);
		this.limit = limit;
		this.#refusals = refusals;
		this.calls = calls;
	}

	/** Keeps the messages to each socket in call order, by socket id, even if schemas validate asynchronously. */
	get order(): CallOrder<string> {
		return this.#exchange.order;
	}

	/** Called when the endpoint starts: receives what nodes send each other about requests. */
	open(): void {
		this.#isClosed = false;
		this.#exchange.join(this);
	}

	/**
	 * Sends a request to a client on any node and resolves with its reply.
	 *
	 * @throws {SocketRequestError} with the error code the client replied with, or with `disconnected` (the client has
	 * left, or the application stopped), `timeout` (also if the client's node has crashed or can't be reached),
	 * `invalid_reply`, `too_many_requests`, or `unsupported` (the client is a plain WebSocket, which can't answer)
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
		if (this.#isClosed) throw new SocketRequestError(name, 'disconnected', HAS_STOPPED);
		const socket = this.#provider.getConnection(socketId);
		if (socket !== undefined && !isSpeaker(socket)) throw new SocketRequestError(name, 'unsupported', IS_PLAIN);
		const ofSocket = this.pending.ofSocket(socketId);
		if (ofSocket.size >= this.limit) {
			this.#refusals.add('requests', { socketId, type: name });
			throw new SocketRequestError(name, 'too_many_requests', `the client has ${this.limit} pending requests`);
		}
		// Endpoints that share the provider may have started it: then requests work before this one starts.
		this.#exchange.join(this);
		const correlationId = this.#exchange.nextCorrelationId();
		const envelope = encodeMessage(message, data, correlationId);
		const reply = this.pending.add(correlationId, name, socketId, ofSocket, timeoutMs);
		const sent =
			socket === undefined
				? this.#provider.sendToNodeOf(
						socketId,
						encodeNodeMessage({ kind: 'request', socketId, correlationId, envelope }),
					)
				: this.#provider.sendEnvelope(socketId, envelope);
		sent.catch((error: Error) => this.pending.fail(correlationId, error));
		return reply;
	}

	/** Returns whether this node is waiting for the socket's reply to a request. */
	isPending(socketId: string, correlationId: string | undefined): boolean {
		return correlationId !== undefined && this.#exchange.isPending(socketId, correlationId);
	}

	/** Handles the reply of a client of this endpoint. See {@link RequestExchange.receiveReply}. */
	receiveReply(socketId: string, correlationId: string, reply: ClientReply): 'settled' | 'ignored' | 'invalid' {
		return this.#exchange.receiveReply(socketId, correlationId, reply);
	}

	/** Rejects the pending requests of all nodes to a socket of this endpoint that has closed. */
	disconnect(socketId: string): void {
		this.#exchange.disconnect(socketId);
	}

	/** Rejects the requests that this endpoint has sent and that are still pending, and all further ones. */
	close(): void {
		this.#isClosed = true;
		this.pending.close();
		this.#exchange.leave(this);
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
