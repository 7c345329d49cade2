import type { SocketLife, Span } from './lives.ts';
import type { Target } from './protocol.ts';

/** A socket may be gone this much before its hook says so, in milliseconds. */
const HOOK_MS = 500;
/** The clocks of processes of one machine may seem to differ by this, in milliseconds. */
const CLOCK_MS = 5;

/** Whether the socket was there all the time, and a target all the time. */
export function matchesThroughout(socket: SocketLife, target: Target, span: Span): boolean {
	if (socket.from > span.from - CLOCK_MS || socket.until < span.until + HOOK_MS) return false;
	if (target === 'all') return true;
	if ('socketId' in target) return socket.socketId === target.socketId;
	if ('userId' in target) return socket.userId === target.userId;
	return isIn(socket, target.topic, span, 'throughout');
}

/** Whether the socket was a target at some time. */
export function mayMatch(socket: SocketLife, target: Target, span: Span): boolean {
	// Before its `open` hook it is there already, also if it has ended before that.
	if (socket.until < span.from - CLOCK_MS) return false;
	if (socket.from !== Infinity && socket.upgradedAt > span.until + CLOCK_MS) return false;
	if (socket.from === Infinity) return true;
	if (target === 'all') return true;
	if ('socketId' in target) return socket.socketId === target.socketId;
	if ('userId' in target) return socket.userId === target.userId;
	return isIn(socket, target.topic, span, 'sometime');
}

/** Whether the socket was in a topic, all the time or at some time. */
export function isIn({ stays }: SocketLife, topic: string, span: Span, when: 'throughout' | 'sometime'): boolean {
	const all = stays.get(topic) ?? [];
	if (when === 'throughout')
		return all.some(({ from, until }) => from < span.from - CLOCK_MS && until > span.until + CLOCK_MS);
	return all.some(({ from, until }) => from < span.until + CLOCK_MS && until > span.from - CLOCK_MS);
}

/** Whether the socket was closed with this code: the close reason is or begins with it. */
export function hasClosed({ end }: SocketLife, code: string): boolean {
	return end !== undefined && new RegExp(`^${code}\\b`).test(end.reason);
}
