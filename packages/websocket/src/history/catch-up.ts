import type { Position } from '../protocol/position.ts';
import type { Floor } from './floors.ts';
import type { HistoryWindow } from './history-window.ts';
import type { TopicHistory } from './topic-history.ts';

/** Selects the earlier messages that a socket is sent before the live ones. Default: no messages. */
export interface ResumeFrom {
	/** Send all messages after this position, which is that of the last message that the client has received. */
	readonly since?: Position | undefined;
	/**
	 * Send at most this many of the latest messages, 1 to 100,000. With `since`, only if not all messages after it can
	 * be sent.
	 */
	readonly rewind?: number | undefined;
	/**
	 * Whether to send messages from before the subscription even to a socket that was subscribed with `past: false`.
	 * Default false: those are then treated as lost.
	 */
	readonly isEntitled?: boolean | undefined;
}

/** The outcome of a resume. */
export interface Recovery {
	/**
	 * Whether all messages after `since` were sent. If false, only those that `rewind` requests were sent. Undefined
	 * without `since`.
	 */
	readonly recovered: boolean | undefined;
	/** How many messages were sent. */
	readonly count: number;
	/** The position that the live messages follow. */
	readonly position: Position;
	/**
	 * Set if messages of the topic may be missing although `recovered` is true: another node had stored them on a
	 * wrong server. In milliseconds since the epoch.
	 */
	readonly gap?: { readonly since: number; readonly until: number };
}

/** A socket that is catching up on a topic. */
export interface Reader {
	/** Whether the socket is still connected, and its attempt to catch up has not been cancelled. */
	readonly isActive: boolean;
	/** Where the messages begin that the socket may be sent; undefined if it may be sent all. */
	readonly floor: Floor | undefined;
	/**
	 * Sends messages of the window, starting at the index `from`, as many as the socket has room for. Returns how many
	 * were sent, even if the socket is no longer active.
	 */
	send(window: HistoryWindow, from: number): number;
	/** Resolves when the socket has room again or is no longer active. Closes the socket if that takes too long. */
	waitForRoom(): Promise<void>;
	/** Sends the client the position that the next messages follow, because the epoch has changed without a loss. */
	rename(position: Position): void;
	/**
	 * Sends the client the position that the messages requested by `rewind` follow.
	 *
	 * @param recovered false if they are sent because messages after `since` are lost
	 */
	rewind(position: Position, recovered: false | undefined): void;
	/**
	 * Makes the socket live: from now on it receives messages as they are delivered on this node. Sends the client the
	 * position that they follow, with the outcome, unless `rewind` has already told it that messages are lost.
	 */
	goLive(recovery: Recovery, isTold: boolean): void;
	/** Closes the socket, because it reads so slowly that its next message is no longer stored. */
	closeAsTooSlow(): void;
}

/**
 * Sends a socket the messages that it missed, then makes it live. The switch is synchronous, so no message is lost,
 * repeated or reordered by it. Resolves with undefined if the socket becomes inactive or is closed as too slow.
 *
 * @throws {HistoryUnavailableError} the topic can't be read
 */
export async function catchUp(history: TopicHistory, from: ResumeFrom, reader: Reader): Promise<Recovery | undefined> {
	await history.open();
	// A client that comes from another node may have received messages that have not arrived on this node yet.
	if (from.since !== undefined && isElsewhere(history.current(from.since), history.cursor)) await history.refresh();
	if (!reader.isActive) return undefined;
	history.window.acquire();
	try {
		let position = from.since ?? (await rewound(history, from.rewind ?? 0, reader));
		// Whatever a client claims to have received, it is sent nothing from below the floor.
		if (from.since !== undefined && !mayFollow(from.since, history, reader)) position = NOWHERE;
		if (!reader.isActive) return undefined;
		let isRewinding = from.since === undefined && from.rewind !== undefined;
		if (isRewinding) reader.rewind(position, undefined);
		let count = 0;
		/** Whether messages after `since` are lost, and the latest ones are sent instead. */
		let isLost = false;
		/** Whether the client must still be notified that its position is now in another epoch. */
		let isRenamed = false;
		while (reader.isActive) {
			// Each index is valid only until the next await: other readers extend the window, and new messages move it.
			const window = history.window.current();
			const current = history.current(position);
			isRenamed ||= current !== position;
			position = current;
			const next = indexAfter(window, position);
			if (next === 'not read') {
				await history.window.extend();
				continue;
			}
			if (next === undefined && count > 0) {
				reader.closeAsTooSlow();
				return undefined;
			}
			if (next === undefined && from.since !== undefined && from.rewind !== undefined && !isLost) {
				isLost = isRewinding = true;
				isRenamed = false;
				position = await rewound(history, from.rewind, reader);
				if (reader.isActive) reader.rewind(position, false);
				continue;
			}
			if (isRenamed && next !== undefined && next < window.messages.length) {
				if (isRewinding) reader.rewind(position, undefined);
				else reader.rename(position);
				isRenamed = false;
			}
			const sent = next === undefined ? 0 : reader.send(window, next);
			count += sent;
			if (!reader.isActive) return undefined;
			if (next === undefined || next + sent === window.messages.length) {
				const recovered = from.since === undefined ? undefined : next !== undefined && !isLost;
				const recovery = { recovered, count, position: history.cursor as Position };
				reader.goLive(recovery, isLost);
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

function isElsewhere({ epoch, offset }: Position, cursor: Position | undefined): boolean {
	return cursor !== undefined && (epoch !== cursor.epoch || offset > cursor.offset);
}

/** Returns whether the socket may be sent the messages after a position. */
function mayFollow(position: Position, history: TopicHistory, { floor }: Reader): boolean {
	if (floor === undefined) return true;
	if (floor === 'now') return false;
	const { epoch, offset } = history.current(position);
	const least = history.current(floor);
	return epoch === least.epoch && offset >= least.offset;
}

/** Returns the position before the last `count` messages that the socket may be sent. */
async function rewound(history: TopicHistory, count: number, reader: Reader): Promise<Position> {
	const position = await positionBeforeLast(history, count, reader);
	const { floor } = reader;
	if (floor === undefined || mayFollow(position, history, reader)) return position;
	return floor === 'now' ? (history.cursor as Position) : floor;
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

/**
 * Returns the index of the first message after a position. Returns 'not read' if earlier messages must be read to find
 * it, and undefined if it can't be found at all.
 */
function indexAfter(window: HistoryWindow, { epoch, offset }: Position): number | 'not read' | undefined {
	if (window.epoch !== epoch) return undefined;
	const index = window.indexAfter(offset);
	if (index !== undefined || window.isComplete || offset > window.from) return index;
	return 'not read';
}

/** A position of no topic: what follows it is lost. */
const NOWHERE: Position = { epoch: '', offset: 0 };
