import {
	type Logger,
	type SocketData,
	UnknownSocketError,
	type WebSocketConnection,
	type WebSocketProvider,
} from '@orijs/websocket';
import type { BunRequest, Server, WebSocketHandler } from 'bun';
import { type AppSocket, SocketAdopter } from './app-socket.ts';
import { decideUpgrade } from './upgrade.ts';
import type { WebSocketHandlers, WebSocketOptions } from './websocket-options.ts';

const GOING_AWAY = 1001;
const INTERNAL_ERROR = 1011;

/** One WebSocket endpoint: what happens from an upgrade request to the end of its connection. */
export class WebSocketEndpoint {
	readonly #provider: WebSocketProvider;
	readonly #options: WebSocketOptions;
	readonly #logger: Logger;
	/** Turns away those who wait for `upgrade()`. */
	readonly #waiting = new Set<() => void>();
	#closing = false;

	constructor(provider: WebSocketProvider, options: WebSocketOptions, logger: Logger) {
		this.#provider = provider;
		this.#options = options;
		this.#logger = logger;
	}

	/** Answers a request to the endpoint's path; undefined once it has become a WebSocket. */
	async upgrade(req: BunRequest, server: Server<SocketData>): Promise<Response | undefined> {
		const decision = await this.#decide(req);
		if (this.#closing || decision === undefined) return new Response('Server is stopping', { status: 503 });
		if (decision instanceof Response) return decision;
		const data: SocketData = { socketId: crypto.randomUUID(), data: decision.data, topics: new Set() };
		if (server.upgrade(req, { data })) return undefined;
		return new Response('Not a valid WebSocket handshake', { status: 400 });
	}

	/** What `upgrade()` decides, or undefined as soon as the endpoint closes. */
	async #decide(req: BunRequest): Promise<Awaited<ReturnType<typeof decideUpgrade>> | undefined> {
		// One promise each: racing against one for all would keep every request until the endpoint closes.
		const closed = Promise.withResolvers<undefined>();
		const turnAway = (): void => closed.resolve(undefined);
		this.#waiting.add(turnAway);
		try {
			return await Promise.race([decideUpgrade(req, this.#options, this.#logger), closed.promise]);
		} finally {
			this.#waiting.delete(turnAway);
		}
	}

	/** What Bun calls: the application's handlers, with the connection known to the provider from open to close. */
	handlers(handlers: WebSocketHandlers): WebSocketHandler<SocketData> {
		const provider = this.#provider;
		const adopter = new SocketAdopter(provider);
		const adopted = (raw: WebSocketConnection): AppSocket => raw as unknown as AppSocket;
		return {
			// Otherwise Bun drops messages to a slow client with no sign of it. Closing is a sign.
			closeOnBackpressureLimit: true,
			open: async (raw) => {
				// A failure is in the provider's log already.
				provider.addConnection(raw).catch(() => {});
				const ws = adopter.adopt(raw);
				try {
					await handlers.open?.(ws);
				} catch (error) {
					this.#failed('open', ws, error);
					if (isOpen(ws)) ws.close(INTERNAL_ERROR, 'open failed');
				}
			},
			message: (raw, data) => {
				try {
					const done = handlers.message?.(adopted(raw), data);
					if (done instanceof Promise) done.catch((error: unknown) => this.#failed('message', adopted(raw), error));
				} catch (error) {
					this.#failed('message', adopted(raw), error);
				}
			},
			close: async (raw, code, reason) => {
				provider.removeConnection(raw.data.socketId);
				try {
					await handlers.close?.(adopted(raw), code, reason);
				} catch (error) {
					this.#failed('close', adopted(raw), error);
				}
			},
			drain: async (raw) => {
				try {
					await handlers.drain?.(adopted(raw));
				} catch (error) {
					this.#failed('drain', adopted(raw), error);
				}
			},
		};
	}

	/** Takes no more connections, turns away those who wait and closes those there are with 1001. */
	close(): void {
		this.#closing = true;
		for (const turnAway of this.#waiting) turnAway();
		for (const socket of this.#provider.getConnections()) socket.close(GOING_AWAY, 'server is stopping');
	}

	#failed(handler: keyof WebSocketHandlers, ws: AppSocket, err: unknown): void {
		const details = { socketId: ws.data.socketId, err };
		if (handler !== 'close' && isBecauseItLeft(ws, err)) {
			this.#logger.debug(`The ${handler} handler did not finish: its client had left`, details);
		} else {
			this.#logger.error(`The ${handler} handler failed`, details);
		}
	}
}

/** Clients leave when they like: that a handler then could not go on with its own socket is no fault. */
function isBecauseItLeft(ws: AppSocket, err: unknown): boolean {
	return err instanceof UnknownSocketError && err.socketId === ws.data.socketId && !isOpen(ws);
}

function isOpen(ws: AppSocket): boolean {
	return ws.readyState === WebSocket.OPEN;
}
