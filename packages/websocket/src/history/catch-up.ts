import type { Position } from '../protocol/position.ts';
import type { HistoryWindow } from './history-window.ts';
import type { TopicHistory } from './topic-history.ts';

/** Which messages a socket is sent before the live ones. Without either property: none. */
export interface ResumeFrom {
	/** Messages after this position, up to which the client has followed the topic. */
	readonly since?: Position | undefined;
	/** At most this many of the latest messages, 1 to 100,000. Ignored if `since` is given. */
	readonly rewind?: number | undefined;
}

/** The outcome of a resume. */
export interface Recovery {
	/** Whether all messages after `since` were sent; if not, none were. Undefined without `since`. */
	readonly recovered: boolean | undefined;
	/** How many messages were sent. */
	readonly count: number;
	/** The position that the live messages follow. */
	readonly position: Position;
}

/** A socket that catches up on a topic. */
export interface Reader {
	/** Whether it is still connected and still to catch up. */
	readonly isActive: boolean;
	/** Sends as many messages as the socket has room for. Returns how many, even if it is no longer active. */
	send(window: HistoryWindow, from: number): number;
	/** Resolves when the socket has room again or is no longer active. Closes it if that takes too long. */
	waitForRoom(): Promise<void>;
	/** Tells the client the position that the next messages follow. */
	startAfter(position: Position): void;
	/** From now on the socket receives what is delivered. */
	goLive(recovery: Recovery): void;
	/** Closes the socket: its next message is no longer kept, because it reads too slowly. */
	closeAsTooSlow(): void;
}

/**
 * Sends a socket what it missed and then makes it live. No message is missing, repeated or out of order, because the
 * step from one to the other is synchronous. Undefined if the socket unsubscribed meanwhile.
 *
 * @throws {HistoryUnavailableError} the topic can't be read
 */
export async function catchUp(history: TopicHistory, from: ResumeFrom, reader: Reader): Promise<Recovery | undefined> {
	await history.open();
	if (!reader.isActive) return undefined;
	history.window.acquire();
	try {
		let position = from.since ?? (await positionBeforeLast(history, from.rewind ?? 0, reader));
		if (!reader.isActive) return undefined;
		if (from.since === undefined && from.rewind !== undefined) reader.startAfter(position);
		let count = 0;
		while (reader.isActive) {
			// Other readers extend the window and new messages move it: an index in it is valid until the next await.
			const window = history.window.current();
			const next = indexAfter(window, position);
			if (next === 'not read') {
				await history.window.extend();
				continue;
			}
			if (next === undefined && count > 0) {
				reader.closeAsTooSlow();
				return undefined;
			}
			const sent = next === undefined ? 0 : reader.send(window, next);
			count += sent;
			if (!reader.isActive) return undefined;
			if (next === undefined || next + sent === window.messages.length) {
				const recovered = from.since === undefined ? undefined : next !== undefined;
				const recovery = { recovered, count, position: history.cursor as Position };
				reader.goLive(recovery);
				return recovery;
			}
			if (sent > 0) position = { epoch: window.epoch, offset: window.messages[next + sent - 1]?.offset ?? 0 };
			await reader.waitForRoom();
		}
		return undefined;
	} finally {
		history.window.release();
	}
}

/** Returns the position before the last `count` messages, or before all of them if there are fewer. */
async function positionBeforeLast(history: TopicHistory, count: number, reader: Reader): Promise<Position> {
	for (;;) {
		const { messages, epoch, from, isComplete } = history.window.current();
		const first = messages.length - count;
		if (first > 0) return { epoch, offset: messages[first - 1]?.offset ?? from };
		if (first === 0 || isComplete || !reader.isActive) return { epoch, offset: from };
		await history.window.extend();
	}
}

/** Returns the index of the first message after a position; undefined if that is unknown, however much is read. */
function indexAfter(window: HistoryWindow, { epoch, offset }: Position): number | 'not read' | undefined {
	if (window.epoch !== epoch) return undefined;
	const index = window.indexAfter(offset);
	if (index !== undefined || window.isComplete || offset > window.from) return index;
	return 'not read';
}
