import { RecordingLogger } from '@orijs/testkit';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BusLiveness } from '../bus.ts';
import type { Beat } from '../wire/frame.ts';
import { BusHeartbeat } from './bus-heartbeat.ts';
import { type Gap, GapEvents } from './gap-events.ts';
import { MissingMessages } from './missing-messages.ts';
import { PeerBeats } from './peer-beats.ts';

const HERE = 1;
const THERE = 2;
const NOW = 1_000_000;
const INTERVAL_MS = 500;

beforeEach(() => vi.useFakeTimers({ now: NOW }));
afterEach(() => vi.useRealTimers());

/** A node that has just started, with a bus whose subscriptions can be interrupted. Its own beats go nowhere. */
function createNode() {
	let isInterrupted = false;
	const gaps = new GapEvents(new RecordingLogger());
	const reported: Gap[] = [];
	gaps.on((gap) => reported.push(gap));
	const liveness: BusLiveness = {
		heartbeatChannels: () => ['!'],
		shardOf: () => 0,
		isInterrupted: () => isInterrupted,
		reconnect: () => {},
		verifyPrimary: async () => {},
	};
	const heartbeat = new BusHeartbeat({
		intervalMs: INTERVAL_MS,
		liveness,
		nodeCount: () => 2,
		areCollected: () => false,
		isSubscribed: () => true,
		publish: async () => {},
		onTick: () => {},
	});
	const peers = new PeerBeats();
	const missing = new MissingMessages({
		origin: HERE,
		channels: { live: () => ['t'], isLive: (channel) => channel === 't' },
		peers,
		gaps,
		liveness,
		heartbeat,
		histories: undefined,
		onError: () => {},
		onNewNode: () => {},
	});
	peers.start(performance.now());
	heartbeat.start();
	return {
		peers,
		/** Has a beat of the other node arrive now, or one of this node. */
		beat: (number: number, { origin = THERE, isLast = false, aheadMs = 0 } = {}) => {
			const sender = { origin, shard: 0, incarnation: 0, skews: { least: 0, most: 0 } };
			missing.beats.received('!', {
				type: 'beat',
				...sender,
				number,
				intervalMs: INTERVAL_MS,
				sentAt: Date.now() + aheadMs,
				isLast,
				sharedFrom: 1,
				endsShared: false,
				pauseMs: 500,
				run: 1,
				counts: { connections: 0, topics: 0 },
			} satisfies Beat);
		},
		lost: () => void (isInterrupted = true),
		recovered: (since: number) => {
			isInterrupted = false;
			missing.interrupted(['!', 't'], since, 'the connection was lost');
		},
		gaps: () => {
			heartbeat.stop();
			gaps.close();
			return reported;
		},
	};
}

describe('a beat over new subscriptions, before the interruption is reported', () => {
	it('does not shorten the gap, neither one of this node nor one of another', async () => {
		const { beat, lost, recovered, gaps } = createNode();
		beat(1);
		beat(1, { origin: HERE });
		// From now on, nothing arrives. That is noticed only after 400 ms.
		await vi.advanceTimersByTimeAsync(400);
		lost();
		await vi.advanceTimersByTimeAsync(600);
		beat(2);
		beat(2, { origin: HERE });
		recovered(NOW + 400);

		const [gap] = gaps();
		expect(gap?.since).toBeLessThanOrEqual(NOW);
		expect(gap?.until).toBe(NOW + 1_000);
	});

	it('of a node that started meanwhile is reported by the clock of that node', async () => {
		const { beat, lost, recovered, gaps } = createNode();
		await vi.advanceTimersByTimeAsync(400);
		lost();
		await vi.advanceTimersByTimeAsync(600);
		beat(1, { aheadMs: -3_600_000 });
		await vi.advanceTimersByTimeAsync(100);
		recovered(NOW + 400);
		await vi.advanceTimersByTimeAsync(400);
		beat(2, { aheadMs: -3_600_000 });

		const spans = gaps();
		for (const lostAt of [NOW + 450, NOW + 1_050 - 3_600_000])
			expect(spans.filter(({ since, until }) => since <= lostAt && lostAt <= until)).not.toEqual([]);
	});

	it('counts as received, so that the next one is not taken for a loss', async () => {
		const { beat, lost, recovered, gaps } = createNode();
		beat(1);
		await vi.advanceTimersByTimeAsync(400);
		lost();
		await vi.advanceTimersByTimeAsync(100);
		beat(2);
		recovered(NOW + 400);
		await vi.advanceTimersByTimeAsync(2_000);
		// Late, but the next one.
		beat(3);
		expect(gaps()).toHaveLength(1);
	});

	it('that is the last one of its node is not forgotten, nor what that node published before', async () => {
		const { peers, beat, lost, recovered, gaps } = createNode();
		beat(1);
		await vi.advanceTimersByTimeAsync(2_000);
		beat(4, { origin: HERE });
		lost();
		beat(2, { isLast: true });
		expect(peers.count).toBe(1);
		recovered(Date.now());

		expect(peers.count).toBe(0);
		expect(gaps()[0]?.since).toBeLessThanOrEqual(NOW);
	});
});
