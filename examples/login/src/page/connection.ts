import {
	type Answer,
	BuiltIn,
	CloseCode,
	type Envelope,
	type ErrorCode,
	type InferInput,
	type InferOutput,
	readRetryHint,
	type SocketMessage,
	SocketRequestError,
	validate,
	validateReply,
} from '@orijs/websocket/protocol';

/** `waiting` is the time before the next try; `refused` means that there is none, as one has to log in first. */
export type ConnectionState = 'connecting' | 'connected' | 'waiting' | 'refused';

/** What the answer to a message is. */
type ReplyTo<TMessage extends SocketMessage> = undefined extends TMessage['reply']
	? null
	: InferOutput<Exclude<TMessage['reply'], undefined>>;

interface Waiting {
	readonly name: string;
	resolve(data: unknown): void;
	reject(error: Error): void;
}

const REQUEST_TIMEOUT_MS = 10_000;
const SHORTEST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 10_000;

/** A connection to the server that comes back by itself, for as long as one is logged in. The browser sends the cookie along. */
export class Connection {
	readonly #onState: (state: ConnectionState) => void;
	readonly #handlers = new Map<string, (data: unknown) => Promise<void>>();
	readonly #requests = new Map<string, Waiting>();
	#socket: WebSocket | undefined;
	#lastId = 0;
	#tries = 0;

	constructor(onState: (state: ConnectionState) => void) {
		this.#onState = onState;
	}

	/** Sets what happens when a message of this kind comes. */
	on<TMessage extends SocketMessage>(message: TMessage, handle: (data: InferOutput<TMessage['data']>) => void): this {
		this.#handlers.set(message.name, async (data) => handle(await validate(message, data)));
		return this;
	}

	/** Connects, and comes back when the connection breaks. Call it at the beginning, and again when one has logged in. */
	open(): void {
		const socket = new WebSocket(new URL('/ws', location.href.replace(/^http/, 'ws')));
		this.#socket = socket;
		socket.addEventListener('open', () => void this.#begin());
		socket.addEventListener('message', ({ data }: MessageEvent<string>) => {
			this.#receive(JSON.parse(data) as Answer | Envelope);
		});
		socket.addEventListener('close', (event) => this.#closed(event));
		this.#onState('connecting');
	}

	/** @throws {SocketRequestError} what the server refused it with; or `timeout`, `disconnected` */
	async request<TMessage extends SocketMessage>(
		message: TMessage,
		data: InferInput<TMessage['data']>,
	): Promise<ReplyTo<TMessage>> {
		return (await validateReply(message, await this.#ask(message.name, data))) as ReplyTo<TMessage>;
	}

	/** @throws {SocketRequestError} */
	async subscribe(topic: string): Promise<void> {
		await this.#ask(BuiltIn.subscribe, { topic });
	}

	/** Says that we have come, with nothing to show but the cookie: the server looks at it, and answers or closes. */
	async #begin(): Promise<void> {
		try {
			await this.#ask(BuiltIn.auth, undefined);
		} catch {
			// The connection has ended, which `#closed` sees to, or has not answered.
			this.#socket?.close();
			return;
		}
		this.#tries = 0;
		this.#onState('connected');
	}

	#ask(name: string, data: unknown): Promise<unknown> {
		const socket = this.#socket;
		const { promise, resolve, reject } = Promise.withResolvers<unknown>();
		const fail = (code: ErrorCode, reason: string): void => reject(new SocketRequestError(name, code, reason));
		if (socket?.readyState !== WebSocket.OPEN) {
			fail('disconnected', 'There is no connection');
			return promise;
		}
		const correlationId = String(++this.#lastId);
		const timer = setTimeout(() => fail('timeout', 'The server did not answer'), REQUEST_TIMEOUT_MS);
		this.#requests.set(correlationId, { name, resolve, reject });
		socket.send(JSON.stringify({ type: name, data, correlationId }));
		return promise.finally(() => {
			clearTimeout(timer);
			this.#requests.delete(correlationId);
		});
	}

	#receive(frame: Answer | Envelope): void {
		if ('name' in frame) {
			void this.#handlers.get(frame.name)?.(frame.data);
			return;
		}
		const waiting = this.#requests.get(frame.correlationId ?? '');
		if (waiting === undefined) return;
		if ('error' in frame) {
			waiting.reject(new SocketRequestError(waiting.name, frame.error.code, frame.error.message));
		} else {
			waiting.resolve(frame.data);
		}
	}

	#closed({ code, reason }: CloseEvent): void {
		for (const { name, reject } of this.#requests.values()) {
			reject(new SocketRequestError(name, 'disconnected', 'The connection has ended'));
		}
		if (code === CloseCode.unauthorized) {
			this.#onState('refused');
			return;
		}
		setTimeout(() => this.open(), readRetryHint(reason) ?? waitAfter(this.#tries++));
		this.#onState('waiting');
	}
}

/** Random, so that the pages of a server that went down don't all come back in one moment. */
function waitAfter(tries: number): number {
	const longest = Math.min(LONGEST_WAIT_MS, SHORTEST_WAIT_MS * 2 ** tries);
	return longest * (0.5 + Math.random() / 2);
}
