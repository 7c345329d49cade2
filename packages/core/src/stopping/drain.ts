import { CloseCode, DRAINED_REASON, withRetryHint } from '@orijs/websocket/protocol';
import type { Session } from '../session/session.ts';

/** Sockets are closed in so many waves, or fewer if they are few, so that their clients don't all come back in one moment. */
const WAVES = 20;
const SMALLEST_WAVE = 100;
const BETWEEN_WAVES_MS = 50;

/** Of a client that may have been left without an answer. */
const STOPPING_REASON = 'server is stopping';

/** How often it is looked whether sockets are done, in milliseconds. */
const LOOK_EVERY_MS = 5;

/** Clients are asked to come back spread over a time that grows with their number: a thousand a second, in 10 s at most. */
const SPREAD_MS_EACH = 1;
const SHORTEST_SPREAD_MS = 200;
const LONGEST_SPREAD_MS = 10_000;

/**
 * Ends connections with 1012 and a hint when to come back: each takes no more messages, has those that have arrived handled and
 * what it was sent flushed, and is closed then, which the reason says: what its client asks from then on is not handled. At the deadline
 * those that are left are closed as they are.
 *
 * @param deadline by the monotonic clock, in milliseconds
 */
export async function drain(sessions: readonly Session[], deadline: number): Promise<void> {
	const waiting = [...sessions];
	const finishing = new Set<Session>();
	const spread = Math.min(LONGEST_SPREAD_MS, Math.max(SHORTEST_SPREAD_MS, waiting.length * SPREAD_MS_EACH));
	const wave = Math.max(SMALLEST_WAVE, Math.ceil(waiting.length / WAVES));
	const close = (session: Session, reason: string): void => {
		finishing.delete(session);
		session.end(CloseCode.serviceRestart, withRetryHint(reason, Math.random() * spread));
	};
	// A handler that stops the application without waiting for anything is not through yet, though nothing says so.
	await Promise.resolve();
	let nextWave = performance.now();
	while (waiting.length > 0 || finishing.size > 0) {
		const now = performance.now();
		if (now >= deadline) break;
		if (now >= nextWave) {
			nextWave = now + BETWEEN_WAVES_MS;
			for (const session of waiting.splice(0, wave)) {
				session.stopAccepting();
				finishing.add(session);
			}
		}
		for (const session of finishing)
			if (session.isDrained) close(session, session.hasDropped ? STOPPING_REASON : DRAINED_REASON);
		if (waiting.length > 0 || finishing.size > 0) await Bun.sleep(LOOK_EVERY_MS);
	}
	for (const session of [...finishing, ...waiting]) close(session, STOPPING_REASON);
}
