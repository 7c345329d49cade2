import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BeatStore, StoredBeat } from '../bus.ts';
import { type Beat, decodeFrame } from '../wire/frame.ts';
import { OwnBeats } from './own-beats.ts';

const ORIGIN = 7;

/** What has been published of a beat. */
interface Published {
	readonly by: 'publish' | 'beat' | 'remove';
	readonly channel: string;
	readonly beat: Pick<Beat, 'number' | 'sharedFrom' | 'endsShared' | 'isLast' | 'run'>;
	/** Whether digests are wanted. */
	readonly isCollected?: boolean;
	readonly stored?: StoredBeat;
}

function createBeats() {
	const published: Published[] = [];
	const state = {
		mustCollect: false,
		hasStore: true,
		isSubscribed: true,
		isRefused: false,
		connection: 1 as number | undefined,
	};
	let number = 0;
	const add = (by: Published['by'], channel: string, frame: Uint8Array, stored?: StoredBeat): void => {
		if (state.isRefused) throw new Error('refused');
		const decoded = decodeFrame(frame, 0) as Beat;
		const { number: of, sharedFrom, endsShared, isLast, run } = decoded;
		const beat = { number: of, sharedFrom, endsShared, isLast, run };
		published.push({ by, channel, beat, ...(stored !== undefined && { isCollected: stored.isCollected, stored }) });
	};
	const store: BeatStore = {
		ownChannel: (channel, origin) => `${channel}${origin}`,
		beat: async (_, beat) => add('beat', beat.channel, beat.frame, beat),
		remove: async (_, beat) => add('remove', beat.channel, beat.frame, beat),
		list: async () => [],
		describe() {},
	};
	const beats = new OwnBeats({
		sender: () => ({ origin: ORIGIN, shard: 0, incarnation: 3 }),
		skews: () => ({ least: -1, most: 1 }),
		counts: () => ({ connections: 5, topics: 6 }),
		store: () => (state.hasStore ? store : undefined),
		connection: () => state.connection,
		mustCollect: () => state.mustCollect,
		digestEveryMs: () => 5_000,
		isSubscribed: (channel) => state.isSubscribed || channel === '!',
		publish: async (channel, frame) => add('publish', channel, frame),
	});
	const send = async (isLast = false): Promise<Published | undefined> => {
		await beats.publish('!', { number: number + 1, intervalMs: 500, sentAt: 1_000, isLast });
		number++;
		return published.at(-1);
	};
	return { beats, state, send, published };
}

const summary = (each: Published | undefined) => [
	each?.by,
	each?.channel,
	each?.beat.sharedFrom,
	each?.beat.endsShared,
	each?.isCollected,
];

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('own beats', () => {
	it('go to the heartbeat channel, where the backend records them without digests', async () => {
		const { beats, send } = createBeats();
		expect(summary(await send())).toEqual(['beat', '!', 1, false, false]);
		expect(beats.areCollected('!')).toBe(false);
	});

	it('go there without a store', async () => {
		const { state, send } = createBeats();
		state.hasStore = false;
		state.mustCollect = true;
		expect(summary(await send())).toEqual(['publish', '!', 1, false, undefined]);
	});

	it('announce that they will be collected, until the backend has accepted that', async () => {
		const { beats, state, send } = createBeats();
		await send();
		state.mustCollect = true;
		state.isRefused = true;
		await expect(send()).rejects.toThrow('refused');
		state.isRefused = false;
		expect(summary(await send())).toEqual(['beat', '!', 1, true, true]);
		expect(summary(await send())).toEqual(['beat', '!7', 1, false, true]);
		expect(beats.areCollected('!')).toBe(true);
	});

	it('go to the heartbeat channel while their own is not subscribed', async () => {
		const { state, send } = createBeats();
		state.mustCollect = true;
		state.isSubscribed = false;
		for (let i = 0; i < 3; i++) expect(summary(await send())).toEqual(['beat', '!', 1, false, false]);
	});

	it('say from which number on they are shared again, and want digests for a while', async () => {
		const { state, send } = createBeats();
		state.mustCollect = true;
		for (let i = 0; i < 3; i++) await send();
		state.mustCollect = false;
		expect(summary(await send())).toEqual(['beat', '!', 4, false, true]);
		vi.advanceTimersByTime(14_000);
		expect(summary(await send())).toEqual(['beat', '!', 4, false, true]);
		vi.advanceTimersByTime(2_000);
		expect(summary(await send())).toEqual(['beat', '!', 4, false, false]);
	});

	it('are shared at once when the store is gone', async () => {
		const { beats, state, send } = createBeats();
		state.mustCollect = true;
		for (let i = 0; i < 3; i++) await send();
		state.hasStore = false;
		expect(summary(await send())).toEqual(['publish', '!', 4, false, undefined]);
		expect(beats.areCollected('!')).toBe(false);
	});

	it('end with one that all nodes receive, and with it the record', async () => {
		const { state, send } = createBeats();
		state.mustCollect = true;
		for (let i = 0; i < 3; i++) await send();
		const last = await send(true);
		expect(summary(last)).toEqual(['remove', '!', 4, false, true]);
		expect(last?.beat.isLast).toBe(true);
	});

	it('tell the backend what digests need: when the beat before was accepted, and how much there is to do', async () => {
		const { send } = createBeats();
		await send();
		vi.advanceTimersByTime(700);
		const stored = (await send())?.stored;
		expect(stored).toMatchObject({ origin: ORIGIN, number: 2, incarnation: 3, digestEveryMs: 5_000 });
		expect(stored?.entry).toHaveLength(28);
		expect(Buffer.from(stored?.entry ?? []).readUInt16BE(20)).toBe(70);
	});
});

describe('how many beats were published over one connection', () => {
	it('is said by each, and begins again with each connection', async () => {
		const { state, send } = createBeats();
		const runs: unknown[] = [];
		for (const connection of [1, 1, 1, 2, 2, undefined, undefined, 2, 2]) {
			state.connection = connection;
			runs.push((await send())?.beat.run);
		}
		expect(runs).toEqual([1, 2, 3, 1, 2, 1, 1, 1, 2]);
	});

	it('does not include a beat that was accepted after the connection was made again', async () => {
		const { beats, state, published } = createBeats();
		const publish = (number: number): Promise<void> =>
			beats.publish('!', { number, intervalMs: 500, sentAt: 1_000, isLast: false });
		await publish(1);
		const publishing = publish(2);
		state.connection = 2;
		await publishing;
		await publish(3);
		await publish(4);
		expect(published.map(({ beat }) => beat.run)).toEqual([1, 2, 1, 2]);
	});

	it('is not interrupted by a refused beat, whose number is used again', async () => {
		const { state, send } = createBeats();
		await send();
		state.isRefused = true;
		await expect(send()).rejects.toThrow('refused');
		state.isRefused = false;
		expect((await send())?.beat).toMatchObject({ number: 2, run: 2 });
	});
});
