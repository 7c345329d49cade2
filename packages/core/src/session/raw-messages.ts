import { promiseOf } from '@orijs/websocket/internal';
import type { AppSocket } from '../app-socket.ts';
import type { Refusals } from '../refusals.ts';
import type { Frame, MessageDispatcher, Session } from './session.ts';

/** Passes messages unchanged to the application's own `message` handler. Without a handler, they are only counted. */
export class RawMessages implements MessageDispatcher {
	readonly #handler: ((ws: AppSocket<never>, message: Frame) => unknown) | undefined;
	readonly #failed: (ws: AppSocket, error: unknown) => void;
	readonly #refusals: Refusals;

	constructor(
		handler: ((ws: AppSocket<never>, message: Frame) => unknown) | undefined,
		failed: (ws: AppSocket, error: unknown) => void,
		refusals: Refusals,
	) {
		this.#handler = handler;
		this.#failed = failed;
		this.#refusals = refusals;
	}

	handle(session: Session, frame: Frame): void {
		const { ws, socketId } = session;
		if (this.#handler === undefined) return this.#refusals.add('plain', { socketId });
		let running: Promise<unknown> | undefined;
		try {
			running = promiseOf(this.#handler(ws as AppSocket<never>, frame));
		} catch (error) {
			this.#failed(ws, error);
		}
		if (running === undefined) return;
		const token = running;
		const { inbound } = session;
		inbound.begin(token);
		running.then(
			() => inbound.finished(token),
			(error: unknown) => {
				this.#failed(ws, error);
				inbound.finished(token);
			},
		);
	}

	/** Raw messages always wait for their turn. */
	handleOnArrival(): boolean {
		return false;
	}

	/**
	 * Lets the message through: a raw message can't be refused with an answer, and must not be dropped silently. Only a
	 * client that floods is disconnected.
	 */
	onRateExceeded(): boolean {
		return true;
	}

	/** Never called: without typed messages, no handler awaits a reply from its client. */
	onQueueFull(): void {}

	/** Does nothing: the close frame that follows informs the client. */
	onLateMessage(): void {}

	onTimeout({ socketId }: Session): void {
		this.#refusals.add('handlerTimeout', { socketId });
	}
}
