import type { Session } from '../session/session.ts';
import { type ContextServices, SocketContext } from './socket-context.ts';

/** The first argument of a router's `onOpen`, `onSubscribe`, `onUnsubscribe` and `onClose`. */
export class ConnectionContext<TState extends object = object> extends SocketContext<TState> {
	readonly #session: Session;

	/** Created for each event by the application; do not create one yourself. */
	constructor(services: ContextServices, session: Session) {
		super(services, session);
		this.#session = session;
	}

	/** The connection's data, as returned by `upgrade()`. */
	get data(): object {
		return this.#session.data;
	}
}
