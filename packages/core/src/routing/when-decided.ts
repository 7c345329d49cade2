import type { Session } from '../session/session.ts';
import { isAvailable, type MaybePromise } from './maybe-promise.ts';
import { PendingAuthorization } from './pending-authorization.ts';
import type { Decision } from './topic-authorizer.ts';

/** What a request asks the application about its topics. */
export interface AskedTopics {
	/** The type of the message. */
	readonly type: string;
	/** Asks, and returns one decision per topic. Called again if the client's rights may have changed meanwhile. */
	readonly ask: () => readonly MaybePromise<Decision>[];
	/** Receives one decision per topic; after a timeout, `timeout` for those that are missing. */
	readonly proceed: (decided: readonly Decision[]) => void;
}

/**
 * Continues a request once the application has decided on all of its topics; immediately if it has. Until then, the
 * request is the running message of its session, so later messages wait.
 */
export function whenDecided(session: Session, { type, ask, proceed }: AskedTopics): void {
	const asked = ask();
	if (asked.every(isAvailable)) return proceed(asked);
	const pending = new PendingAuthorization(type, ask, proceed, asked);
	session.inbound.begin(pending);
	void pending.decided(asked).then((decided) => {
		// If the authorization is no longer running, the message has timed out and has been answered.
		if (session.inbound.running !== pending) return;
		proceed(decided);
		session.inbound.finished(pending);
	});
}
