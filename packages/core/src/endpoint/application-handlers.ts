import type { Logger } from '@orijs/websocket';
import { promiseOf, settledWithin } from '@orijs/websocket/internal';
import { CloseCode } from '@orijs/websocket/protocol';
import type { AppSocket } from '../app-socket.ts';
import { isOwnSocketGone } from '../session/is-own-socket-gone.ts';
import type { Session } from '../session/session.ts';
import { FaultLog } from '../support/fault-log.ts';
import type { WebSocketHandlers } from '../websocket-options.ts';

/** Calls the application's handlers, except `message`, and logs their failures. */
export class ApplicationHandlers {
	readonly #handlers: WebSocketHandlers;
	readonly #faults: FaultLog;
	/** The close handlers that are still running. */
	readonly #closing = new Set<Promise<unknown>>();

	constructor(handlers: WebSocketHandlers, logger: Logger) {
		this.#handlers = handlers;
		this.#faults = new FaultLog(logger);
	}

	/** Whether there is an open handler. */
	get hasOpen(): boolean {
		return this.#handlers.open !== undefined;
	}

	/** Calls the open handler. Returns a promise if it has not finished, which never rejects. */
	open(session: Session): Promise<void> | undefined {
		try {
			const running = promiseOf(this.#handlers.open?.(session.ws));
			return running?.then(ignore, (error: unknown) => this.#openFailed(session, error));
		} catch (error) {
			this.#openFailed(session, error);
			return undefined;
		}
	}

	#openFailed(session: Session, error: unknown): void {
		this.logFailure('open', session.ws, error);
		if (isOpen(session.ws)) session.end(CloseCode.internalError, 'open failed');
	}

	/** Calls the drain handler. Never rejects. */
	async drain(ws: AppSocket): Promise<void> {
		try {
			await this.#handlers.drain?.(ws);
		} catch (error) {
			this.logFailure('drain', ws, error);
		}
	}

	ping(ws: AppSocket, payload: Buffer): void {
		if (this.#handlers.ping !== undefined) void this.#onControlFrame('ping', ws, payload);
	}

	pong(ws: AppSocket, payload: Buffer): void {
		if (this.#handlers.pong !== undefined) void this.#onControlFrame('pong', ws, payload);
	}

	async #onControlFrame(handler: 'ping' | 'pong', ws: AppSocket, payload: Buffer): Promise<void> {
		try {
			await this.#handlers[handler]?.(ws, payload);
		} catch (error) {
			this.logFailure(handler, ws, error);
		}
	}

	get hasClose(): boolean {
		return this.#handlers.close !== undefined;
	}

	/** Calls the close handler. The handlers of all earlier messages must have started. */
	close({ ws }: Session, code: number, reason: string): void {
		let done: Promise<unknown> | undefined;
		try {
			done = promiseOf(this.#handlers.close?.(ws, code, reason));
		} catch (error) {
			this.logFailure('close', ws, error);
		}
		if (done === undefined) return;
		const running = done
			.catch((error: unknown) => this.logFailure('close', ws, error))
			.finally(() => this.#closing.delete(running));
		this.#closing.add(running);
	}

	/** Waits for running close handlers, up to `ms` milliseconds. */
	closeHandlersSettled(ms: number): Promise<void> {
		return settledWithin(ms, Promise.all(this.#closing));
	}

	logFailure(handler: keyof WebSocketHandlers, ws: AppSocket, err: unknown): void {
		const { socketId } = ws.data;
		if (handler !== 'close' && !isOpen(ws) && isOwnSocketGone(socketId, err)) {
			const what = `The ${handler} handler was cut short because the client disconnected`;
			this.#faults.cutShort({ what, err }, { socketId });
		} else {
			this.#faults.failed({ what: `The ${handler} handler failed`, err }, { socketId });
		}
	}
}

function ignore(): void {}

function isOpen(ws: AppSocket): boolean {
	return ws.readyState === WebSocket.OPEN;
}
