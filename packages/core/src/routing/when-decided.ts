import type { Session } from '../session/session.ts';
import { allOf, isAvailable, type MaybePromise } from './maybe-promise.ts';
import { PendingAuthorization } from './pending-authorization.ts';
import type { Decision } from './topic-authorizer.ts';

/**
 * Continues a request once the application has decided on all of its topics; immediately if it has. Until then, the
 * request is the running message of its session, so later messages wait.
 *
 * @param type the type of the message
 * @param then receives one decision per topic; after a timeout, `timeout` for those that are missing
 */
export function whenDecided(
	session: Session,
	type: string,
	decisions: readonly MaybePromise<Decision>[],
	then: (decided: readonly Decision[]) => void,
): void {
	if (decisions.every(isAvailable)) return then(decisions);
	const pending = new PendingAuthorization(type, decisions, then);
	session.inbound.begin(pending);
	void allOf(decisions).then((decided) => {
		// If the authorization is no longer running, the message has timed out and has been answered.
		if (session.inbound.running !== pending) return;
		then(decided);
		session.inbound.finished(pending);
	});
}
