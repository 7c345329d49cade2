import type { Position } from '../protocol/position.ts';
import type { HistoryWindow } from './history-window.ts';
import type { TopicHistory } from './topic-history.ts';

/** Which messages a socket is sent before the live ones. Neither: none. */
export interface ResumeFrom {
	/** Those after this position, which the client has followed the topic up to. */
	readonly since?: Position | undefined;
	/** The last ones, so many at most, 1 to 100,000; where there is no `since`. */
	readonly rewind?: number | undefined;
}

/** What became of it. */
export interface Recovery {
	/** Whether everything since then was sent; if not, nothing was. Undefined where `since` was not given. */
	readonly recovered: boolean | undefined;
	/** How many messages were sent. */
	readonly count: number;
	/** The live messages follow this. */
	readonly position: Position;
}

/** A socket that is to be brought up to date. */
export interface Reader {
	/** Whether it still wants that. */
	readonly isThere: boolean;
	/** Sends as many as there is room for. Returns how many, whether or not it is still there. */
	send(window: HistoryWindow, from: number): number;
	/** Resolves when there is room again, or it is gone, or takes too long, and is closed. */
	room(): Promise<void>;
	/** What it is sent follows that position. */
	begin(position: Position): void;
	/** From now on it gets what is delivered. */
	goLive(recovery: Recovery): void;
	/** What it was to be sent next is gone, as it reads too slowly: to be closed. */
	tooSlow(): void;
}

/**
 * Brings one socket up to date and lets it in: what it missed first, then what comes, with nothing twice, missing or out of order, because
 * the step from one to the other takes no time. Undefined if the socket left meanwhile. Never rejects.
 */
export async function catchUp(history: TopicHistory, from: ResumeFrom, reader: Reader): Promise<Recovery | undefined> {
	await history.open();
	if (!reader.isThere) return undefined;
	history.useWindow();
	try {
		let position = from.since ?? (await lastOnes(history, from.rewind ?? 0, reader));
		if (!reader.isThere) return undefined;
		if (from.since === undefined && from.rewind !== undefined) reader.begin(position);
		let count = 0;
		while (reader.isThere) {
			// Others extend the window and messages move it on: what is found in it holds until something is awaited.
			const window = history.window();
			const next = placeAfter(window, position);
			if (next === 'not read') {
				await history.extend();
				continue;
			}
			if (next === undefined && count > 0) {
				reader.tooSlow();
				return undefined;
			}
			const sent = next === undefined ? 0 : reader.send(window, next);
			count += sent;
			if (!reader.isThere) return undefined;
			if (next === undefined || next + sent === window.messages.length) {
				const recovered = from.since === undefined ? undefined : next !== undefined;
				const recovery = { recovered, count, position: history.cursor as Position };
				reader.goLive(recovery);
				return recovery;
			}
			if (sent > 0) position = { epoch: window.epoch, offset: window.messages[next + sent - 1]?.offset ?? 0 };
			await reader.room();
		}
		return undefined;
	} finally {
		history.returnWindow();
	}
}

/** The position before the last so many messages. */
async function lastOnes(history: TopicHistory, count: number, reader: Reader): Promise<Position> {
	for (;;) {
		const window = history.window();
		const { messages, epoch, from, isWhole } = window;
		const first = messages.length - count;
		if (first > 0) return { epoch, offset: messages[first - 1]?.offset ?? from };
		if (first === 0 || isWhole || !reader.isThere) return { epoch, offset: from };
		await history.extend();
	}
}

/** The place in the window of the first message after that position; undefined where that is not known, however much is read. */
function placeAfter(window: HistoryWindow, { epoch, offset }: Position): number | 'not read' | undefined {
	if (window.epoch !== epoch) return undefined;
	const place = window.after(offset);
	if (place !== undefined || window.isWhole || offset > window.from) return place;
	return 'not read';
}
