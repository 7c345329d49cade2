import type { AppSocket } from '../app-socket.ts';
import { promiseOf } from '../support/promise-of.ts';
import type { Refusals } from '../refusals.ts';
import type { Frame, Inbound, Session } from './session.ts';
import type { Work } from './turn-queue.ts';

/** Hands messages to the application's own `message` handler as they are. */
export class RawMessages implements Inbound {
	readonly #handler: (ws: AppSocket<never>, message: Frame) => unknown;
	readonly #failed: (ws: AppSocket, error: unknown) => void;
	readonly #refusals: Refusals;

	constructor(
		handler: (ws: AppSocket<never>, message: Frame) => unknown,
		failed: (ws: AppSocket, error: unknown) => void,
		refusals: Refusals,
	) {
		this.#handler = handler;
		this.#failed = failed;
		this.#refusals = refusals;
	}

	read(_: Session, frame: Frame): Work {
		return frame;
	}

	run(session: Session, frame: Work): void {
		const { ws } = session;
		let running: Promise<unknown> | undefined;
		try {
			running = promiseOf(this.#handler(ws as AppSocket<never>, frame as Frame));
		} catch (error) {
			this.#failed(ws, error);
		}
		if (running === undefined) return;
		const token = running;
		session.begin(token);
		running.then(
			() => session.finished(token),
			(error: unknown) => {
				this.#failed(ws, error);
				session.finished(token);
			},
		);
	}

	/** There is no way to say so, and a message is not dropped silently: a client that goes on is disconnected. */
	tooFast(): boolean {
		return true;
	}

	/** Without typed messages no handler waits for what its client says. */
	tooMany(): void {}

	/** The close frame that follows says it. */
	tooLate(): void {}

	giveUp({ socketId }: Session): void {
		this.#refusals.add('handlerTimeout', { socketId });
	}
}
