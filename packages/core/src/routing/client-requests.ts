import { type WebSocketProvider, UnknownSocketError } from '@orijs/websocket';
import {
	type InferInput,
	type InferOutput,
	InvalidMessageDefinitionError,
	SocketRequestError,
	type RequestMessage,
	type SocketMessage,
	validate,
	validateReply,
} from '@orijs/websocket/protocol';
import { ApplicationError } from '../errors.ts';
import { MAX_DELAY_MS } from '../limits.ts';
import { quiet } from '../support/quiet.ts';
import type { Refusals } from '../refusals.ts';
import { show } from '../support/show.ts';
import { encodeMessage } from './encode-message.ts';

export interface RequestOptions {
	/** How long the client may take, in milliseconds. Default 10,000. */
	readonly timeoutMs?: number;
}

/** What a client answered. */
export interface ClientReply {
	readonly data?: unknown;
	readonly error?: unknown;
}

/** A reply on its way to the node that asked. */
interface ForwardedReply extends ClientReply {
	readonly socketId: string;
	readonly correlationId: string;
}

interface Pending {
	readonly socketId: string;
	readonly message: SocketMessage;
	readonly timer: ReturnType<typeof setTimeout>;
	readonly resolve: (reply: ClientReply) => void;
	readonly reject: (error: Error) => void;
}

/** What a reply that is passed on begins with. */
const FORWARDED = 'reply ';

const DEFAULT_TIMEOUT_MS = 10_000;

/** The node that asks, and the number of its request. */
const CORRELATION_ID = /^([0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})\.\d{1,15}$/;

/**
 * Requests of this node to clients, wherever those are connected. An answer that reaches another node than the one that asked is
 * passed on to it, which the correlation id names.
 */
export class ClientRequests {
	readonly #provider: WebSocketProvider;
	readonly #limit: number;
	readonly #refusals: Refusals;
	readonly #canAnswer: () => boolean;
	readonly #pending = new Map<string, Pending>();
	/** The correlation ids of what each socket has not answered yet. */
	readonly #ofSocket = new Map<string, Set<string>>();
	#count = 0;

	/**
	 * @param limit how many requests to one socket may wait
	 * @param canAnswer whether clients can answer at all: that takes typed messages
	 */
	constructor(provider: WebSocketProvider, limit: number, refusals: Refusals, canAnswer: () => boolean) {
		this.#provider = provider;
		this.#limit = limit;
		this.#refusals = refusals;
		this.#canAnswer = canAnswer;
	}

	/**
	 * Asks a client, on whichever node it is, and resolves with its answer.
	 *
	 * @throws {SocketRequestError} what the client answered; or `timeout`, `disconnected` (known at once for this node's sockets),
	 * `invalid_reply`, `too_many_requests`
	 * @throws {MessageValidationError} `data` does not fit the schema; {InvalidMessageDefinitionError} the message has no `reply`
	 * @throws {UnknownSocketError} and whatever else `send` throws; nothing was asked
	 */
	request<T extends RequestMessage>(
		socketId: string,
		message: T,
		data: InferInput<T['data']>,
		options: RequestOptions = {},
	): Promise<InferOutput<T['reply']>> {
		return quiet(this.#request(socketId, message, data, options) as Promise<never>);
	}

	async #request(
		socketId: string,
		message: SocketMessage,
		data: unknown,
		{ timeoutMs = DEFAULT_TIMEOUT_MS }: RequestOptions,
	): Promise<unknown> {
		if (typeof timeoutMs !== 'number' || !(timeoutMs > 0 && timeoutMs <= MAX_DELAY_MS)) {
			throw new RangeError(
				`timeoutMs must be a number of milliseconds above 0 and up to ${MAX_DELAY_MS}, not ${show(timeoutMs)}`,
			);
		}
		if (!this.#canAnswer()) {
			throw new ApplicationError('request() needs typed messages: add a socketRouter(), or authorize');
		}
		const checked = validate(message, data);
		// Without waiting where there is nothing to wait for, so that what is sent next goes out next.
		const valid: unknown = checked instanceof Promise ? await checked : checked;
		if (message.reply === undefined) {
			throw new InvalidMessageDefinitionError(`${message.name} has no reply, so it can't be a request`);
		}
		const reply = await this.#ask(socketId, message, valid, timeoutMs);
		if (reply.error !== undefined) throw refusal(message.name, reply.error);
		try {
			return await validateReply(message, reply.data);
		} catch (cause) {
			throw new SocketRequestError(message.name, 'invalid_reply', 'the answer does not fit its schema', { cause });
		}
	}

	#ask(socketId: string, message: SocketMessage, data: unknown, timeoutMs: number): Promise<ClientReply> {
		const ofSocket = this.#ofSocket.get(socketId) ?? new Set();
		if (ofSocket.size >= this.#limit) {
			this.#refusals.add('requests', { socketId, type: message.name });
			throw new SocketRequestError(message.name, 'too_many_requests', `${this.#limit} of its client wait already`);
		}
		const correlationId = `${this.#provider.nodeId}.${++this.#count}`;
		const envelope = encodeMessage(message, data, correlationId);
		const { promise, resolve, reject } = Promise.withResolvers<ClientReply>();
		const timer = setTimeout(() => {
			this.#take(correlationId)?.reject(
				new SocketRequestError(message.name, 'timeout', `the client took longer than ${timeoutMs} ms`),
			);
		}, timeoutMs);
		this.#ofSocket.set(socketId, ofSocket.add(correlationId));
		this.#pending.set(correlationId, { socketId, message, timer, resolve, reject });
		this.#provider.send(socketId, envelope).catch((error: Error) => this.#take(correlationId)?.reject(error));
		return promise;
	}

	/**
	 * A client of this node has answered a request, of this node or another. Whether that was `awaited` here; `passed-on` is what may be
	 * awaited elsewhere, or came too late; what nobody can have asked is `unasked`.
	 */
	answered(socketId: string, correlationId: string, { data, error }: ClientReply): 'awaited' | 'passed-on' | 'unasked' {
		const nodeId = CORRELATION_ID.exec(correlationId)?.[1];
		if (nodeId === undefined) return 'unasked';
		const reply: ForwardedReply = { socketId, correlationId, data, error };
		if (nodeId === this.#provider.nodeId) return this.#settle(reply) ? 'awaited' : 'passed-on';
		// Who asked hears of it by its timeout; what is wrong is in the provider's log.
		this.#provider.sendToNode(nodeId, FORWARDED + JSON.stringify(reply)).catch(() => {});
		return 'passed-on';
	}

	/** Another node has said something: an answer, or something that is not for this. */
	heard(text: string): void {
		if (text.startsWith(FORWARDED)) this.#settle(JSON.parse(text.slice(FORWARDED.length)) as ForwardedReply);
	}

	/** A socket of this node has gone. */
	left(socketId: string): void {
		for (const correlationId of this.#ofSocket.get(socketId) ?? []) {
			const pending = this.#take(correlationId);
			if (pending === undefined) continue;
			const { name } = pending.message;
			const cause = new UnknownSocketError(socketId);
			pending.reject(new SocketRequestError(name, 'disconnected', 'the client has disconnected', { cause }));
		}
	}

	/** Nothing more will come in. */
	close(): void {
		for (const [correlationId, { message }] of this.#pending) {
			this.#take(correlationId)?.reject(
				new SocketRequestError(message.name, 'disconnected', 'the application has stopped'),
			);
		}
	}

	/** An answer counts only from the socket that was asked. Returns whether it was awaited. */
	#settle({ socketId, correlationId, data, error }: ForwardedReply): boolean {
		if (this.#pending.get(correlationId)?.socketId !== socketId) return false;
		this.#take(correlationId)?.resolve({ data, error });
		return true;
	}

	#take(correlationId: string): Pending | undefined {
		const pending = this.#pending.get(correlationId);
		if (pending === undefined) return undefined;
		this.#pending.delete(correlationId);
		clearTimeout(pending.timer);
		const ofSocket = this.#ofSocket.get(pending.socketId);
		ofSocket?.delete(correlationId);
		if (ofSocket?.size === 0) this.#ofSocket.delete(pending.socketId);
		return pending;
	}
}

/** What a client says of its own failure; it may say anything. */
function refusal(messageName: string, error: unknown): SocketRequestError {
	const { code, message } = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>;
	return new SocketRequestError(
		messageName,
		typeof code === 'string' && code.length <= 64 ? code : 'internal',
		typeof message === 'string' ? message.slice(0, 256) : 'the client refused',
	);
}
