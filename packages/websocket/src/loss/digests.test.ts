import { describe, expect, it } from 'vitest';
import type { DigestEntry } from '../wire/digest.ts';
import type { Beat } from '../wire/frame.ts';
import { PeerBeats } from './peer-beats.ts';

const NODE = { origin: 1, shard: 0, incarnation: 0 };
const COUNTS = { connections: 0, topics: 0 };
/** The clocks of the nodes are ahead of the monotonic one by this much. */
const AHEAD_MS = 1_000_000;
const INTERVAL_MS = 500;

/** A node that has listened since 0, to a server that collects the beats of others. */
function createPeers({ startedAt = 0 } = {}) {
	const peers = new PeerBeats();
	peers.start(startedAt);
	const digest = (number: number, at: number, more: Partial<DigestEntry> = {}) => {
		const { ageMs = 100 } = more;
		const sentAt = AHEAD_MS + at - ageMs;
		const entry = { ...NODE, number, sentAt, pauseMs: INTERVAL_MS, counts: COUNTS, ageMs, run: number, ...more };
		return peers.digested(entry, 0, INTERVAL_MS, at);
	};
	return {
		peers,
		digest,
		/** Returns since when beats were missed, by the monotonic clock, according to a digest of a single node. */
		single: (number: number, at: number, more: Partial<DigestEntry> = {}) => digest(number, at, more).missedSince?.at,
		/** Like `single`, for a digest of all nodes. */
		full: (number: number, at: number, more: Partial<DigestEntry> = {}) => {
			peers.digestedAll(0, at);
			return digest(number, at, more).missedSince?.at;
		},
		beat: (number: number, at: number, more: Partial<Beat> = {}) => {
			const content = {
				intervalMs: INTERVAL_MS,
				sentAt: AHEAD_MS + at,
				isLast: false,
				sharedFrom: 1,
				endsShared: false,
				pauseMs: 500,
				run: 1,
			};
			const beat = { type: 'beat' as const, ...NODE, ...content, counts: COUNTS, skews: { least: 0, most: 0 } };
			return peers.received({ ...beat, number, ...more }, at)?.at;
		},
		givenUp: (provenAt: number, now = provenAt) => peers.givenUp(() => provenAt, now).map(({ since }) => since.at),
		unproven: (now: number) => peers.unproven(now).map(({ since }) => since.at),
	};
}

describe('digests', () => {
	it('report nothing missing while the server has accepted all beats of a node in between', () => {
		const { peers, full } = createPeers();
		for (const number of [1, 11, 21]) expect(full(number, number * 500)).toBeUndefined();
		expect(peers.count).toBe(1);
		expect(peers.accountedAt(0, 10_600)).toBe(10_400);
	});

	it('report everything since the last beat missing when the server has not accepted some', () => {
		const { full, single } = createPeers();
		full(11, 5_500);
		expect(single(15, 7_500, { run: 1, ageMs: 0 })).toBe(5_400);
		expect(full(25, 10_500, { run: 11 })).toBeUndefined();
	});

	it('report the same if only a later digest of all nodes shows it', () => {
		const { full } = createPeers();
		full(11, 5_500);
		expect(full(21, 10_500, { run: 9 })).toBe(5_400);
	});

	it('report nothing of a run that begins before what is known', () => {
		const { full } = createPeers();
		full(11, 5_500, { run: 3 });
		expect(full(21, 10_500, { run: 11 })).toBeUndefined();
	});

	it('know a run of which only the last part is counted', () => {
		const { full } = createPeers({ startedAt: 500_000 });
		expect(full(1_002, 501_000, { run: 255 })).toBeUndefined();
		expect(full(1_012, 506_000, { run: 255 })).toBeUndefined();
	});

	it('report nothing of nodes that ran before this one started', () => {
		const { full } = createPeers({ startedAt: 100_000 });
		expect(full(200, 104_000)).toBeUndefined();
		// The server was restarted before.
		expect(full(300, 104_000, { origin: 2, run: 20 })).toBeUndefined();
	});

	it('report a node that this one should have known, because it comes from elsewhere', () => {
		const { single } = createPeers();
		expect(single(40, 60_000, { ageMs: 0, run: 1 })).toBe(40_000);
	});

	it('tell of a silent node at once', () => {
		const { peers, full, single } = createPeers();
		full(11, 5_500);
		expect(peers.newlySuspicious(6_000)).toBe(false);
		expect(single(13, 9_000, { ageMs: 2_500 })).toBeUndefined();
		expect(peers.isAlive(1)).toBe(false);
		expect([peers.newlySuspicious(9_000), peers.newlySuspicious(9_000)]).toEqual([true, false]);
		expect(peers.count).toBe(0);
	});

	it('tell of a silent node whose last beat was known', () => {
		const { peers, full, single } = createPeers();
		full(11, 5_500);
		single(11, 8_000, { ageMs: 2_600, sentAt: AHEAD_MS + 5_400 });
		expect(peers.newlySuspicious(8_000)).toBe(true);
		// It comes back.
		expect(single(12, 8_500, { ageMs: 0 })).toBeUndefined();
		expect(peers.isAlive(1)).toBe(true);
	});

	it('tell of a silent node though the digest before was held up, and its beat seems to be younger', () => {
		const { peers, full, single } = createPeers();
		full(11, 5_900, { ageMs: 100, sentAt: AHEAD_MS + 5_400 });
		single(11, 7_900, { ageMs: 2_500, sentAt: AHEAD_MS + 5_400 });
		expect(peers.newlySuspicious(7_900)).toBe(true);
		full(12, 9_900, { ageMs: 100, sentAt: AHEAD_MS + 9_300, run: 12 });
		single(13, 12_200, { ageMs: 2_500, sentAt: AHEAD_MS + 9_700, run: 13 });
		expect(peers.newlySuspicious(12_200)).toBe(true);
	});

	it('are missed when they do not arrive', () => {
		const { peers, full } = createPeers();
		full(11, 5_500);
		expect(peers.newlySuspicious(12_900)).toBe(false);
		expect(peers.newlySuspicious(13_100)).toBe(true);
	});

	it('tell of a fall of the number of nodes: the server does not know one of them', () => {
		const { peers, full } = createPeers();
		full(11, 5_500);
		digestOfOthers(peers, 10_500);
		// The digest may have a second frame.
		expect(peers.newlySuspicious(10_900)).toBe(false);
		expect(peers.newlySuspicious(11_300)).toBe(true);
		expect(peers.isAlive(1)).toBe(false);
	});

	it('say nothing about nodes whose beats arrive by themselves and are not recorded', () => {
		const { peers, beat } = createPeers();
		for (let number = 1; number <= 30; number++) {
			beat(number, number * 500);
			if (number % 10 === 0) digestOfOthers(peers, number * 500 + 10);
			expect(peers.newlySuspicious(number * 500 + 20)).toBe(false);
		}
	});

	it('are ignored about a node that is no longer recorded, but whose beats arrive', () => {
		const { peers, beat, full } = createPeers();
		for (let number = 1; number <= 20; number++) beat(number, number * 500);
		full(10, 10_010, { ageMs: 5_010 });
		expect(peers.newlySuspicious(10_020)).toBe(false);
		expect(peers.isAlive(1)).toBe(true);
		expect(beat(21, 10_500)).toBeUndefined();
	});

	it('of a server with less than this node knows, such as a former replica, show nothing', () => {
		const { peers, full } = createPeers();
		full(21, 10_500);
		expect(full(18, 15_500, { ageMs: 6_500 })).toBeUndefined();
		expect(peers.accountedAt(0, 15_500)).toBe(10_400);
	});

	it('follow a node that was started again without having said that it stopped', () => {
		const { peers, full, single } = createPeers();
		full(21, 10_500);
		expect(single(1, 12_000, { ageMs: 0 })).toBeUndefined();
		expect(full(8, 15_500)).toBeUndefined();
		expect(peers.accountedAt(0, 15_500)).toBe(15_400);
	});

	it('of an earlier connection of the node are ignored', () => {
		const { peers, full } = createPeers();
		full(21, 10_500, { incarnation: 1 });
		expect(full(30, 15_500, { incarnation: 0, run: 1 })).toBeUndefined();
		expect(peers.isLate({ ...NODE, incarnation: 0 })).toBe(true);
		expect(full(31, 15_600, { incarnation: 2 })).toBeUndefined();
		expect(peers.isLate({ ...NODE, incarnation: 1 })).toBe(true);
	});

	it('do not move back what is accounted for, nor forward without a new beat', () => {
		const { peers, full } = createPeers();
		full(11, 5_500);
		// The clock of the server was set forward, then back.
		full(21, 10_500, { ageMs: 60_000, sentAt: AHEAD_MS + 10_400 });
		expect(peers.accountedAt(0, 10_500)).toBe(5_400);
		full(21, 10_600, { ageMs: 0, sentAt: AHEAD_MS + 10_400 });
		expect(peers.accountedAt(0, 10_600)).toBe(5_400);
		full(31, 15_500);
		expect(peers.accountedAt(0, 15_500)).toBe(15_400);
	});
});

describe('a node that has fallen silent', () => {
	it('is given up after ten seconds of listening, though digests still hold its last beat', () => {
		const { full, givenUp } = createPeers();
		full(11, 5_500);
		full(13, 10_500, { ageMs: 4_000 });
		expect(givenUp(16_400)).toEqual([]);
		expect(givenUp(16_600)).toEqual([6_500]);
		full(13, 15_500, { ageMs: 9_000, sentAt: AHEAD_MS + 6_500 });
		expect(givenUp(30_000)).toEqual([]);
	});

	it('is given up by a node that only digests have told of it', () => {
		const { peers, full, givenUp } = createPeers({ startedAt: 10_000 });
		full(13, 12_000, { ageMs: 4_000 });
		expect([peers.count, peers.knows(1), peers.isAlive(1)]).toEqual([0, false, false]);
		expect(givenUp(20_100)).toEqual([8_000]);
	});

	it('is not given up by a node that has started long after', () => {
		const { peers, full, givenUp } = createPeers({ startedAt: 100_000 });
		full(13, 102_000, { ageMs: 94_000 });
		expect(givenUp(200_000)).toEqual([]);
		expect(peers.isAlive(1)).toBe(false);
		expect(peers.accountedAt(0, 200_000)).toBe(200_000);
	});

	it('is not passed on to others, to whom digests tell it', () => {
		const { peers, full } = createPeers();
		full(11, 5_500);
		full(1, 5_500, { origin: 2 });
		full(13, 9_000, { ageMs: 2_500 });
		expect(peers.silences(0, 9_000)).toEqual([]);
	});
});

describe('an interruption', () => {
	it('reports what is missing since the last digest, and is no loss again', () => {
		const { peers, full } = createPeers();
		full(11, 5_500);
		const [report] = peers.interrupted(0, 9_000, 9_500);
		expect(report).toEqual({ arrived: { at: 5_400, sentAt: AHEAD_MS + 5_400 }, isOverdue: false });
		expect(full(21, 10_500, { run: 21 })).toBeUndefined();
	});

	it('after which the server has lost its records is no loss again, if the node was there as soon as this one', () => {
		const { peers, full } = createPeers();
		full(11, 5_500);
		peers.interrupted(0, 9_000, 9_500);
		expect(full(20, 10_500, { run: 3 })).toBeUndefined();
	});

	it('nor if the node had sent no beat since before the interruption', () => {
		const { peers, full, single } = createPeers();
		full(11, 5_500);
		peers.interrupted(0, 9_000, 9_500);
		expect(single(20, 13_000, { run: 1, ageMs: 0, pauseMs: 4_000 })).toBeUndefined();
	});

	it('is a loss if the node was somewhere else afterwards', () => {
		const { peers, full, single } = createPeers();
		full(11, 5_500);
		peers.interrupted(0, 9_000, 9_500);
		expect(single(27, 13_000, { run: 1, ageMs: 0, pauseMs: 500 })).toBe(9_500);
	});

	it('does not account for a node that was silent before it', () => {
		const { peers, full } = createPeers();
		full(11, 5_500);
		const [report] = peers.interrupted(0, 15_000, 15_500);
		expect(report?.isOverdue).toBe(true);
		expect(full(12, 16_000, { ageMs: 0 })).toBe(5_400);
	});

	it('counts what digests tell while it lasts as received, but not as proven', () => {
		const { peers, full } = createPeers();
		full(11, 5_500);
		peers.receivedWhileInterrupted(1, 0, 18, false);
		peers.interrupted(0, 9_000, 9_500);
		expect(full(24, 12_000, { run: 6 })).toBeUndefined();
	});

	it('does not account for what was missed before, if the first digest afterwards tells nothing newer', () => {
		const { peers, full, single } = createPeers();
		full(11, 5_500);
		peers.interrupted(0, 6_000, 6_500);
		// This node was led to another server, and back.
		peers.interrupted(0, 15_000, 15_200);
		peers.receivedWhileInterrupted(1, 0, 30, false);
		expect(full(30, 15_400, { ageMs: 400 })).toBe(6_500);
		expect(single(31, 18_000, { ageMs: 0 })).toBeUndefined();
		expect(peers.accountedAt(0, 18_000)).toBe(18_000);
	});

	it('in which a digest was lost does not make other nodes silent', () => {
		const { peers, full } = createPeers();
		full(11, 5_500);
		peers.interrupted(0, 10_000, 11_000);
		expect(peers.newlySuspicious(15_000)).toBe(false);
		full(31, 15_500);
		expect(peers.newlySuspicious(22_900)).toBe(false);
		expect(peers.isAlive(1)).toBe(true);
	});

	it('ends the silence of nodes whose news arrived until it began', () => {
		const { peers, full } = createPeers();
		full(11, 5_500);
		expect(peers.newlySuspicious(13_100)).toBe(true);
		peers.interrupted(0, 10_000, 14_000);
		expect(peers.isAlive(1)).toBe(true);
		expect(peers.newlySuspicious(21_400)).toBe(false);
		expect(peers.newlySuspicious(21_600)).toBe(true);
	});

	it('is reported by the clock of a node that was not known, if it ran meanwhile', () => {
		const { peers, full } = createPeers();
		peers.interrupted(0, 9_000, 9_500);
		expect(full(2, 10_000, { ageMs: 0 })).toBe(9_000);
		expect(full(1, 12_000, { origin: 2, ageMs: 0 })).toBeUndefined();
		expect(full(4, 12_000, { origin: 3, ageMs: 0 })).toBeUndefined();
	});
});

describe('beats of a node that are no longer collected', () => {
	it('prove nothing until a digest tells that the ones before were accepted', () => {
		const { peers, beat, full, unproven } = createPeers();
		full(11, 5_500);
		for (let number = 18; number <= 20; number++)
			expect(beat(number, number * 500, { sharedFrom: 18 })).toBeUndefined();
		expect(peers.accountedAt(0, 10_000)).toBe(5_400);
		expect(full(19, 10_010, { run: 19 })).toBeUndefined();
		expect(peers.accountedAt(0, 10_010)).toBe(10_000);
		expect(beat(21, 10_500, { sharedFrom: 18 })).toBeUndefined();
		expect(unproven(60_000)).toEqual([]);
	});

	it('prove at once that the ones before were accepted, if all came over one connection', () => {
		const { peers, beat, full } = createPeers();
		full(11, 5_500);
		expect(beat(18, 9_000, { sharedFrom: 18, run: 7 })).toBeUndefined();
		expect(peers.accountedAt(0, 9_000)).toBe(9_000);
		expect(beat(19, 9_500, { sharedFrom: 18, run: 8 })).toBeUndefined();
		// This one should have arrived.
		expect(beat(21, 10_500, { sharedFrom: 18, run: 10 })).toBe(9_500);
	});

	it('prove nothing if the connection was made again in between', () => {
		const { peers, beat, full } = createPeers();
		full(11, 5_500);
		expect(beat(18, 9_000, { sharedFrom: 18, run: 6 })).toBeUndefined();
		expect(peers.accountedAt(0, 9_000)).toBe(5_400);
	});

	it('are a loss if a digest tells that the ones before were not', () => {
		const { beat, full } = createPeers();
		full(11, 5_500);
		beat(18, 9_000, { sharedFrom: 18 });
		expect(full(18, 9_010, { run: 3 })).toBe(5_400);
		expect(beat(19, 9_500, { sharedFrom: 18 })).toBeUndefined();
	});

	it('are a loss if no digest tells it in time', () => {
		const { peers, beat, full, unproven } = createPeers();
		full(11, 5_500);
		for (let number = 18; number <= 39; number++) beat(number, number * 500, { sharedFrom: 18 });
		expect(unproven(19_000)).toEqual([]);
		expect(unproven(19_100)).toEqual([5_400]);
		expect(peers.accountedAt(0, 19_600)).toBe(19_500);
		expect(beat(40, 20_000, { sharedFrom: 18 })).toBeUndefined();
	});

	it('are a loss at once if one is missing that should have arrived', () => {
		const { beat, full } = createPeers();
		full(11, 5_500);
		expect(beat(18, 9_000, { sharedFrom: 18 })).toBeUndefined();
		expect(beat(20, 10_000, { sharedFrom: 18 })).toBe(5_400);
		expect(beat(13, 9_000, { origin: 2 })).toBe(2_500);
	});

	it('are a loss if the node stops before that', () => {
		const { beat, full } = createPeers();
		full(11, 5_500);
		expect(beat(18, 9_000, { sharedFrom: 18, isLast: true })).toBe(5_400);
	});

	it('are no loss if the digest of the last beat proves them', () => {
		const { peers, beat, full, single } = createPeers();
		full(11, 5_500);
		expect(single(18, 9_000, { ageMs: 0 })).toBeUndefined();
		expect(beat(18, 9_000, { sharedFrom: 18, isLast: true })).toBeUndefined();
		expect(peers.isAlive(1)).toBeUndefined();
		// A digest that is late.
		expect(full(18, 9_100)).toBeUndefined();
		expect(peers.isAlive(1)).toBeUndefined();
		// The node was started again.
		expect(single(1, 9_500, { ageMs: 0 })).toBeUndefined();
		expect(peers.isAlive(1)).toBe(true);
	});

	it('follow on if nothing was collected in between', () => {
		const { beat, full } = createPeers();
		full(11, 5_500);
		expect(beat(12, 6_000, { sharedFrom: 12 })).toBeUndefined();
		expect(beat(14, 7_000, { sharedFrom: 12 })).toBe(6_000);
	});

	it('are reported with an interruption that comes before a digest', () => {
		const { peers, beat, full } = createPeers();
		full(11, 5_500);
		beat(18, 9_000, { sharedFrom: 18 });
		expect(peers.interrupted(0, 9_200, 9_400)[0]?.arrived.at).toBe(5_400);
		expect(beat(19, 9_500, { sharedFrom: 18 })).toBeUndefined();
	});
});

describe('the last beat that arrives before beats are collected', () => {
	it('says so, and the node is not missed until a digest is due', () => {
		const { peers, beat, full } = createPeers();
		beat(1, 500);
		beat(2, 1_000, { endsShared: true });
		expect(peers.newlySuspicious(6_000)).toBe(false);
		expect(full(12, 6_100)).toBeUndefined();
		expect(peers.areCollected).toBe(true);
		expect(peers.newlySuspicious(8_400)).toBe(false);
	});
});

/** A digest of all nodes without the first one. */
function digestOfOthers(peers: PeerBeats, at: number): void {
	const entry = { origin: 9, number: 1, incarnation: 0, sentAt: AHEAD_MS + at, pauseMs: 0, counts: COUNTS };
	peers.digested({ ...entry, ageMs: 0, run: 1 }, 0, INTERVAL_MS, at);
	peers.digestedAll(0, at);
}
