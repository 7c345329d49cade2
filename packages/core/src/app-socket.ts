import type { Payload, SocketData, WebSocketConnection, WebSocketProvider } from '@orijs/websocket';
import type { ServerWebSocket } from 'bun';
import type { ConnectionData } from './connection-data.ts';

/** What an application's socket does for all nodes, where Bun's own methods of the same names know only this one. */
interface EverywhereMethods {
	/** Joins a topic. Resolves once messages from every node will arrive. */
	subscribe(topic: string): Promise<void>;
	/** Leaves a topic. */
	unsubscribe(topic: string): Promise<void>;
	/** Sends to everyone in the topic, on every node, but this socket; it as well where the topic has history, which is one sequence for all. */
	publish(topic: string, payload: Payload): Promise<void>;
	/** {@link publish} for text. */
	publishText(topic: string, text: string): Promise<void>;
	/** {@link publish} for bytes. */
	publishBinary(topic: string, bytes: Exclude<Payload, string>): Promise<void>;
}

/**
 * The socket a handler gets: Bun's own, except that its pub/sub reaches every node. Once it is closed by the application, messages of
 * its client that wait for their turn are not handled any more.
 */
export type AppSocket<TData extends ConnectionData = ConnectionData> = Omit<
	ServerWebSocket<SocketData<TData>>,
	keyof EverywhereMethods | 'cork' | 'data'
> &
	EverywhereMethods & {
		/** Not to be replaced: keep what is yours in `data.data`. */
		readonly data: SocketData<TData>;
		cork<TResult>(callback: (ws: AppSocket<TData>) => TResult): TResult;
	};

/** Bun's own methods, that are only looked at in passing. */
type Watched = Pick<WebSocketConnection, 'close' | 'terminate' | 'send' | 'sendText' | 'sendBinary'>;

/** What the endpoint has to know of what the application does with a socket. */
export interface SocketEvents {
	/** It has closed it. */
	readonly onClose: (socket: WebSocketConnection) => void;
	/** What it has sent could not be passed on at once, or was dropped. */
	readonly onBackpressure: (socket: WebSocketConnection) => void;
}

/**
 * Gives sockets an application's pub/sub methods. It puts one shared prototype between a socket and Bun's, so that everything else
 * stays Bun's own and nothing is paid per message.
 */
export class SocketAdopter {
	readonly #methods: EverywhereMethods & ThisType<WebSocketConnection>;
	readonly #events: SocketEvents;
	#prototype: object | undefined;

	constructor(provider: WebSocketProvider, events: SocketEvents) {
		this.#events = events;
		this.#methods = {
			subscribe(topic) {
				return provider.subscribe(this.data.socketId, topic);
			},
			unsubscribe(topic) {
				return provider.unsubscribe(this.data.socketId, topic);
			},
			publish(topic, payload) {
				return provider.publishFrom(this.data.socketId, topic, payload);
			},
			publishText(topic, text) {
				return provider.publishFrom(this.data.socketId, topic, text);
			},
			publishBinary(topic, bytes) {
				return provider.publishFrom(this.data.socketId, topic, bytes);
			},
		};
	}

	adopt(socket: WebSocketConnection): AppSocket {
		this.#prototype ??= this.#prototypeAbove(Object.getPrototypeOf(socket) as WebSocketConnection);
		return Object.setPrototypeOf(socket, this.#prototype) as AppSocket;
	}

	#prototypeAbove(bun: WebSocketConnection): object {
		const { onClose, onBackpressure } = this.#events;
		const { close, terminate, send, sendText, sendBinary } = bun;
		const watched: Watched & ThisType<WebSocketConnection> = {
			close(code, reason) {
				// First, as it throws when it is called wrongly, and then nothing has happened.
				close.call(this, code, reason);
				onClose(this);
			},
			terminate() {
				terminate.call(this);
				onClose(this);
			},
			send(data, compress) {
				const sent = send.call(this, data, compress);
				if (sent <= 0) onBackpressure(this);
				return sent;
			},
			sendText(data, compress) {
				const sent = sendText.call(this, data, compress);
				if (sent <= 0) onBackpressure(this);
				return sent;
			},
			sendBinary(data, compress) {
				const sent = sendBinary.call(this, data, compress);
				if (sent <= 0) onBackpressure(this);
				return sent;
			},
		};
		const prototype = Object.assign(Object.create(bun) as object, this.#methods, watched);
		// Whose socket it is, is known by its data. It is read as fast as ever: by Bun's own getter.
		return Object.defineProperty(prototype, 'data', {
			...Object.getOwnPropertyDescriptor(bun, 'data'),
			set: refuseData,
		});
	}
}

function refuseData(): never {
	throw new TypeError('ws.data can not be replaced: keep what is yours in ws.data.data');
}
