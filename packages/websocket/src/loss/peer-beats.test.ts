import { describe, expect, it } from 'vitest';
import type { Beat } from '../wire/frame.ts';
import { PeerBeats } from './peer-beats.ts';

const own = {
	skews: { least: 0, most: 0 },
	sharedFrom: 1,
	endsShared: false,
	pauseMs: 500,
	run: 1,
	counts: { connections: 0, topics: 0 },
};
const node = { origin: 1, shard: 0, incarnation: 0, ...own };
/** The clocks of the nodes are ahead of the monotonic one by this much. */
const AHEAD_MS = 1_000_000;

/** Beats every 500 ms, on which nothing is proven unless given. */
function createPeers({ startedAt = 0 } = {}) {
	const peers = new PeerBeats();
	peers.start(startedAt);
	return {
		peers,
		/** Returns since when beats were missed, by the monotonic clock. */
		beat: (number: number, at: number, more: Partial<Beat> = {}) => {
			const times = { intervalMs: 500, sentAt: AHEAD_MS + at, isLast: false };
			const missedSince = peers.received({ type: 'beat', ...node, ...times, number, ...more }, at);
			if (missedSince !== undefined) expect(missedSince.sentAt).toBe(AHEAD_MS + missedSince.at);
			return missedSince?.at;
		},
		heardOf: (number: number, silentMs: number, at: number) => {
			const sentAt = AHEAD_MS + at - silentMs;
			peers.heardOf({ type: 'silence', ...node, number, intervalMs: 500, sentAt, silentMs }, at);
		},
		givenUp: (provenAt: number, now = provenAt) => peers.givenUp(() => provenAt, now).map(({ since }) => since.at),
	};
}

describe('beats of other nodes', () => {
	it('report nothing missing while their numbers follow each other, or one arrives twice', () => {
		const { peers, beat } = createPeers({ startedAt: 3_500 });
		for (const number of [7, 8, 8, 9]) expect(beat(number, number * 500)).toBeUndefined();
		expect(peers.count).toBe(1);
	});

	it('report nothing missing if the first one arrives just before this node starts to listen', () => {
		const peers = new PeerBeats();
		const beat = { type: 'beat', ...node, intervalMs: 500, isLast: false } as const;
		peers.received({ ...beat, number: 1, sentAt: AHEAD_MS + 499 }, 499);
		peers.start(500);
		expect(peers.received({ ...beat, number: 2, sentAt: AHEAD_MS + 999 }, 999)).toBeUndefined();
		expect(peers.received({ ...beat, number: 4, sentAt: AHEAD_MS + 1_999 }, 1_999)?.at).toBe(999);
	});

	it('report nothing missing of a node that paused while this one started to listen', () => {
		const { beat } = createPeers({ startedAt: 3_500 });
		expect(beat(2, 5_000, { pauseMs: 2_000 })).toBeUndefined();
		expect(beat(2, 5_000, { origin: 2, pauseMs: 1_000 })).toBe(4_000);
	});

	it('report everything since the last beat missing when a number is skipped', () => {
		const { beat } = createPeers();
		beat(1, 500);
		beat(2, 1_000);
		expect(beat(4, 2_000)).toBe(1_000);
		expect(beat(5, 2_500)).toBeUndefined();
	});

	it('report what was missed before the last one', () => {
		const { peers, beat } = createPeers();
		beat(1, 500);
		expect(beat(4, 2_000, { isLast: true })).toBe(500);
		expect(peers.count).toBe(0);
	});

	it('are counted separately for each shard', () => {
		const { peers, beat } = createPeers();
		beat(1, 500);
		expect(beat(9, 500, { shard: 1 })).toBeUndefined();
		expect(beat(2, 1_000)).toBeUndefined();
		expect(peers.count).toBe(1);
	});

	it('report beats missed when the first one to arrive is not number one', () => {
		const { beat } = createPeers({ startedAt: 10_000 });
		expect(beat(40, 10_600)).toBeUndefined();
		expect(beat(1, 20_000, { origin: 2 })).toBeUndefined();
		expect(beat(3, 20_000, { origin: 3 })).toBe(18_500);
		expect(beat(1_000, 20_000, { origin: 4 })).toBe(10_000);
	});

	it('make a node suspicious after four of its own intervals, once, until its next beat', () => {
		const { peers, beat } = createPeers();
		beat(1, 0, { intervalMs: 1_000 });
		expect(peers.newlySuspicious(4_000)).toBe(false);
		expect([peers.newlySuspicious(4_001), peers.newlySuspicious(9_000)]).toEqual([true, false]);
		expect(peers.count).toBe(0);
		expect(beat(3, 10_000)).toBe(0);
		expect(peers.count).toBe(1);
	});

	it('are forgotten with a node that sent its last one', () => {
		const { peers, beat, givenUp } = createPeers();
		beat(1, 500);
		beat(2, 600, { isLast: true });
		expect([peers.count, peers.newlySuspicious(100_000), givenUp(100_000)]).toEqual([0, false, []]);
	});

	it('are forgotten after ten minutes of silence', () => {
		const { peers, beat } = createPeers();
		beat(1, 0);
		peers.newlySuspicious(600_001);
		expect(beat(2, 600_002)).toBe(599_002);
	});
});

describe('an interruption of this node', () => {
	it('accounts for the beats that were missed meanwhile', () => {
		const { peers, beat } = createPeers();
		beat(1, 500);
		expect(peers.interrupted(0, 600, 9_900)).toEqual([
			{ arrived: { at: 500, sentAt: AHEAD_MS + 500 }, isOverdue: false },
		]);
		expect(beat(20, 10_000)).toBeUndefined();
		expect(beat(22, 11_000)).toBe(10_000);
	});

	it('does not account for beats that should have come before', () => {
		const { peers, beat } = createPeers();
		beat(1, 500);
		expect(peers.interrupted(0, 9_000, 9_900)).toMatchObject([{ isOverdue: true }]);
		expect(beat(20, 10_000)).toBe(500);
	});

	it('does not account for beats that should have come after', () => {
		const { peers, beat } = createPeers();
		beat(1, 500);
		peers.interrupted(0, 600, 5_000);
		expect(beat(4, 6_000)).toBe(5_000);
	});

	it('leaves nothing to report where no beat was missed', () => {
		const { peers, beat } = createPeers();
		beat(1, 500);
		peers.interrupted(0, 600, 9_900);
		expect(beat(2, 12_000)).toBeUndefined();
	});

	it('does not account for what a node that was silent before may have failed to publish', () => {
		const { peers, beat } = createPeers();
		beat(1, 500);
		peers.interrupted(0, 9_000, 9_900);
		expect(beat(2, 10_000)).toBe(500);
	});

	it('is reported again by the clock of a node that was set meanwhile', () => {
		const { peers, beat } = createPeers();
		beat(1, 500);
		peers.interrupted(0, 600, 9_900);
		const missed = peers.received(
			{ type: 'beat', ...node, intervalMs: 500, isLast: false, number: 2, sentAt: AHEAD_MS + 10_000 - 60_000 },
			10_000,
		);
		expect(missed).toEqual({ at: 500, sentAt: AHEAD_MS + 500 });
		expect(beat(3, 10_500)).toBeUndefined();
	});

	it('is not reported again after beats that were held up', () => {
		const { peers, beat } = createPeers();
		beat(1, 500);
		// The connection was frozen, and then passed on two beats at once.
		const heldUp = { intervalMs: 500, isLast: false } as const;
		peers.received({ type: 'beat', ...node, ...heldUp, number: 2, sentAt: AHEAD_MS + 1_000 }, 2_000);
		peers.received({ type: 'beat', ...node, ...heldUp, number: 3, sentAt: AHEAD_MS + 1_500 }, 2_000);
		peers.interrupted(0, 1_250, 2_100);
		expect(peers.received({ type: 'beat', ...node, ...heldUp, number: 4, sentAt: AHEAD_MS + 2_200 }, 2_200)).toBe(
			undefined,
		);
	});

	it('is reported again if the clock of a node was set back a little, once ten beats have shown it', () => {
		const { peers, beat } = createPeers();
		const back = (number: number) =>
			peers.received(
				{ type: 'beat', ...node, intervalMs: 500, isLast: false, number, sentAt: AHEAD_MS + number * 500 - 300 },
				number * 500,
			);
		beat(1, 500);
		for (let number = 2; number <= 11; number++) back(number);
		peers.interrupted(0, 5_600, 5_900);
		expect(back(12)).toBeUndefined();
	});

	it('is reported again by the clock of a node that was silent before, and was set', () => {
		const { peers, beat } = createPeers();
		beat(1, 500);
		peers.interrupted(0, 5_000, 9_900);
		const late = { intervalMs: 500, isLast: false, number: 2, sentAt: AHEAD_MS + 10_000 + 60_000 };
		const missed = peers.received({ type: 'beat', ...node, ...late }, 10_000);
		expect(missed).toEqual({ at: 500, sentAt: AHEAD_MS + 500 });
	});

	it('does not touch other shards', () => {
		const { peers, beat } = createPeers();
		beat(1, 500, { shard: 1 });
		peers.interrupted(0, 600, 9_900);
		expect(beat(20, 10_000, { shard: 1 })).toBe(500);
	});

	it('is no excuse for a node that had started long before and was never heard', () => {
		const { peers, beat } = createPeers();
		peers.interrupted(0, 600, 1_000);
		// For nine seconds this node listened to another server than the one that started meanwhile.
		peers.interrupted(0, 10_000, 10_200);
		expect(beat(11, 10_300)).toBe(10_300 - 11 * 500);
	});

	it('leaves a node that started during it to be accounted for by its own clock, unless all its beats arrived', () => {
		const { peers, beat } = createPeers();
		peers.interrupted(0, 5_000, 8_000);
		expect(beat(1, 8_100)).toBeUndefined();
		expect(beat(3, 8_300, { origin: 2 })).toBe(8_300 - 3 * 500);
		expect(beat(8, 8_300, { origin: 3 })).toBe(5_000);
	});
});

describe('the time up to which beats of every node arrived', () => {
	it('is that of the last beat, whether of a node that beats or of one that does not', () => {
		const { peers, beat } = createPeers();
		beat(1, 500);
		beat(1, 700, { origin: 2 });
		beat(2, 5_000);
		expect(peers.arrivedUntil(0, 5_100)).toBe(700);
	});

	it('is not that of a node that had fallen silent before this one began to listen', () => {
		const { peers, beat } = createPeers();
		beat(1, 500);
		peers.interrupted(0, 5_000, 6_000);
		expect(peers.arrivedUntil(0, 20_000)).toBe(20_000);
	});

	it('is the start of a node that has never heard another one: it may have started on a wrong server', () => {
		const peers = new PeerBeats();
		peers.start(100);
		expect(peers.arrivedUntil(0, 20_000)).toBe(100);
	});

	it('reaches back before an interruption that is just over, to the one before', () => {
		const { peers, beat } = createPeers();
		beat(1, 500);
		peers.interrupted(0, 600, 1_000);
		peers.interrupted(0, 12_000, 12_500);
		expect([peers.arrivedUntil(0, 12_600), peers.arrivedUntil(0, 20_000)]).toEqual([1_000, 20_000]);
	});

	it('reaches back as far if several interruptions follow each other', () => {
		const { peers, beat } = createPeers();
		beat(1, 500);
		peers.interrupted(0, 600, 1_000);
		peers.interrupted(0, 12_000, 12_500);
		peers.interrupted(0, 12_600, 12_800);
		expect(peers.arrivedUntil(0, 12_900)).toBe(1_000);
	});
});

describe('a silent node', () => {
	it('is given up after ten seconds, once, since its last beat', () => {
		const { beat, givenUp } = createPeers();
		beat(1, 500);
		expect([givenUp(10_500), givenUp(10_501), givenUp(60_000)]).toEqual([[], [500], []]);
	});

	it('is given up only on proof that this node received what was published meanwhile', () => {
		const { beat, givenUp } = createPeers();
		beat(1, 500);
		expect([givenUp(600, 60_000), givenUp(10_600, 70_000)]).toEqual([[], [500]]);
	});

	it('is given up once this node has listened for ten seconds in all', () => {
		const { peers, beat, givenUp } = createPeers();
		beat(1, 500);
		peers.interrupted(0, 4_500, 5_000);
		peers.interrupted(0, 9_000, 20_000);
		expect([givenUp(21_900), givenUp(22_100)]).toEqual([[], [500]]);
	});

	it('is not given up before this node has listened for ten seconds', () => {
		const { peers, beat, givenUp } = createPeers();
		beat(1, 500);
		peers.interrupted(0, 600, 30_000);
		expect([givenUp(39_000), givenUp(40_001)]).toEqual([[], [30_000]]);
	});

	it('is given up later if its beats are rare', () => {
		const { beat, givenUp } = createPeers();
		beat(1, 0, { intervalMs: 5_000 });
		expect([givenUp(20_000), givenUp(20_001)]).toEqual([[], [0]]);
	});

	it('that comes back has missed nothing if its numbers are unbroken', () => {
		const { beat, givenUp } = createPeers();
		beat(1, 500);
		expect(givenUp(11_000)).toEqual([500]);
		expect(beat(2, 12_000)).toBeUndefined();
		expect(givenUp(22_001)).toEqual([12_000]);
	});

	it('that comes back has been reported up to when it was given up', () => {
		const { beat, givenUp } = createPeers();
		beat(1, 500);
		givenUp(11_000);
		expect(beat(9, 15_000)).toBe(11_000);
	});
});

describe('a frame of a failed connection', () => {
	it('is late once a newer connection was seen', () => {
		const { peers, beat } = createPeers();
		beat(1, 500, { incarnation: 3 });
		expect(peers.isLate({ ...node, incarnation: 3 })).toBe(false);
		expect(peers.isLate({ ...node, incarnation: 4 })).toBe(false);
		expect(peers.isLate({ ...node, incarnation: 3 })).toBe(true);
		expect(peers.isLate({ ...node, shard: 1, incarnation: 0 })).toBe(false);
		expect(peers.isLate({ ...node, origin: 2, incarnation: 0 })).toBe(false);
	});
});

describe('a silence', () => {
	const other = { origin: 2 };

	it('is passed on when a node becomes suspicious, every four intervals, and once after it was given up', () => {
		const { peers, beat, givenUp } = createPeers();
		beat(7, 500);
		const passedOn: number[] = [];
		for (let at = 1_000; at <= 20_000; at += 500) {
			beat(at / 500, at, other);
			peers.newlySuspicious(at);
			for (const { origin, number, silentMs } of peers.silences(0, at)) {
				expect({ origin, number, silentMs }).toEqual({ origin: 1, number: 7, silentMs: at - 500 });
				passedOn.push(at);
			}
			givenUp(at);
		}
		expect(passedOn).toEqual([3_000, 5_000, 7_000, 9_000, 11_000, 11_500]);
	});

	it('is not passed on by a node to which all others are silent, nor by one that only knows it from others', () => {
		const { peers, beat, heardOf } = createPeers();
		beat(1, 500);
		peers.newlySuspicious(5_000);
		expect(peers.silences(0, 5_000)).toEqual([]);

		const { peers: started, beat: beatOf, heardOf: toStarted } = createPeers();
		toStarted(7, 3_000, 5_000);
		beatOf(1, 5_000, other);
		expect(started.silences(0, 5_000)).toEqual([]);
		heardOf(9, 1_000, 5_000);
		expect(peers.knows(1)).toBe(true);
		expect(started.knows(1)).toBe(false);
	});

	it('makes a node that has started since give the silent node up, from its last beat on', () => {
		const { heardOf, givenUp } = createPeers({ startedAt: 4_000 });
		heardOf(7, 3_000, 5_000);
		heardOf(7, 5_000, 7_000);
		expect(givenUp(14_000)).toEqual([]);
		expect(givenUp(14_001)).toEqual([2_000]);
		expect(givenUp(60_000)).toEqual([]);
	});

	it('is over when the silent node is back: what it may have sent meanwhile is missing, if it sent anything', () => {
		const frozen = createPeers({ startedAt: 4_000 });
		frozen.heardOf(7, 3_000, 5_000);
		expect(frozen.beat(8, 6_000)).toBeUndefined();
		expect(frozen.givenUp(60_000 - 1)).toEqual([6_000]);

		const cutOff = createPeers({ startedAt: 4_000 });
		cutOff.heardOf(7, 3_000, 5_000);
		expect(cutOff.beat(15, 6_000)).toBe(4_000);
	});

	it('of a node that is alive, passed on by one that was frozen, makes no gap', () => {
		const { heardOf, beat } = createPeers({ startedAt: 4_000 });
		heardOf(2, 3_000, 4_100);
		expect(beat(9, 4_400)).toBeUndefined();
	});

	it('of a node that has stopped is not taken up', () => {
		const { heardOf, beat, givenUp } = createPeers();
		beat(1, 500);
		beat(2, 1_000, { isLast: true });
		heardOf(1, 1_000, 1_500);
		expect(givenUp(60_000)).toEqual([]);
	});
});
