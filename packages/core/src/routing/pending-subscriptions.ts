import type { RequestFault } from '@orijs/websocket/protocol';
import type { Session } from '../session/session.ts';

interface Pending {
	/** The number of requests that are not answered. */
	requests: number;
	/** Why the server has unsubscribed the client meanwhile, by topic. */
	removals: Map<string, RequestFault> | undefined;
}

/**
 * The clients whose `@subscribe` requests are not answered yet, and what the server has meanwhile unsubscribed them
 * from: their answers say so.
 */
export class PendingSubscriptions {
	readonly #pending = new Map<Session, Pending>();

	/** Called when a request has arrived. */
	begin(session: Session): void {
		const pending = this.#pending.get(session);
		if (pending === undefined) this.#pending.set(session, { requests: 1, removals: undefined });
		else pending.requests++;
	}

	/** Called when a request has been answered. */
	end(session: Session): void {
		const pending = this.#pending.get(session);
		if (pending !== undefined && --pending.requests === 0) this.#pending.delete(session);
	}

	/** Called when the server has unsubscribed a client. */
	removed(session: Session, topic: string, { code, message }: RequestFault): void {
		const pending = this.#pending.get(session);
		if (pending === undefined) return;
		pending.removals ??= new Map();
		pending.removals.set(topic, { code, message });
	}

	/** Called when a client has been subscribed, or has unsubscribed by itself. */
	changed(session: Session, topic: string): void {
		this.#pending.get(session)?.removals?.delete(topic);
	}

	/** Returns why the server has unsubscribed the client while a request was pending; undefined if it has not. */
	removalOf(session: Session, topic: string): RequestFault | undefined {
		return this.#pending.get(session)?.removals?.get(topic);
	}
}
