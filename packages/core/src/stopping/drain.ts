import { CloseCode, DRAINED_REASON, withRetryHint } from '@orijs/websocket/protocol';
import type { Session } from '../session/session.ts';

/** Sockets are closed in at most this many waves, so that clients don't all reconnect at the same moment. */
const WAVES = 20;
const SMALLEST_WAVE = 100;
const BETWEEN_WAVES_MS = 50;

/** The close reason if the client may be missing an answer. */
const STOPPING_REASON = 'server is stopping';

/** The interval at which the endpoint checks which sockets have drained, in milliseconds. */
const CHECK_EVERY_MS = 5;

/**
 * Clients are asked to spread their reconnects over a period that grows with their number: 1,000 clients per second,
 * but at most 10 s.
 */
const SPREAD_MS_EACH = 1;
const SHORTEST_SPREAD_MS = 200;
const LONGEST_SPREAD_MS = 10_000;

/**
 * Closes connections in waves, with 1012 and a hint when to reconnect. A connection first stops accepting messages.
 * Once the messages that have arrived are handled and everything sent is flushed, it is closed with `DRAINED_REASON`,
 * which tells the client that its unanswered requests were not handled. At the deadline, the remaining connections are
 * closed as they are.
 *
 * @param deadline on the clock of `performance.now()`, in milliseconds
 */
export async function drain(sessions: readonly Session[], deadline: number): Promise<void> {
	const waiting = [...sessions];
	const draining = new Set<Session>();
	const spread = Math.min(LONGEST_SPREAD_MS, Math.max(SHORTEST_SPREAD_MS, waiting.length * SPREAD_MS_EACH));
	const wave = Math.max(SMALLEST_WAVE, Math.ceil(waiting.length / WAVES));
	const close = (session: Session, reason: string): void => {
		draining.delete(session);
		session.end(CloseCode.serviceRestart, withRetryHint(reason, Math.random() * spread));
	};
	// If a synchronous handler called stop(), it is still running, but its session is not marked as busy: let it finish
	// first.
	await Promise.resolve();
	let nextWave = performance.now();
	while (waiting.length > 0 || draining.size > 0) {
		const now = performance.now();
		if (now >= deadline) break;
		if (now >= nextWave) {
			nextWave = now + BETWEEN_WAVES_MS;
			for (const session of waiting.splice(0, wave)) {
				session.stopAccepting();
				draining.add(session);
			}
		}
		for (const session of draining)
			if (session.isDrained) close(session, session.hasDropped ? STOPPING_REASON : DRAINED_REASON);
		if (waiting.length > 0 || draining.size > 0) await Bun.sleep(CHECK_EVERY_MS);
	}
	for (const session of [...draining, ...waiting]) close(session, STOPPING_REASON);
}
