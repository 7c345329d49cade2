import { describe, expect, it } from 'vitest';
import type { Beat } from '../wire/frame.ts';
import { PeerBeats } from './peer-beats.ts';

const node = { origin: 1, shard: 0, incarnation: 0 };
const beat = (number: number, more: Partial<Beat> = {}): Beat => ({
	type: 'beat',
	...node,
	number,
	intervalMs: 500,
	sentAt: 0,
	...more,
});

describe('beats of other nodes', () => {
	it('report nothing missing while their numbers follow each other, or one arrives twice', () => {
		const peers = new PeerBeats();
		peers.rebase(3_500);
		for (const number of [7, 8, 8, 9]) expect(peers.received(beat(number), number * 500)).toBeUndefined();
		expect(peers.count).toBe(1);
	});

	it('report everything since the last beat missing when a number is skipped', () => {
		const peers = new PeerBeats();
		peers.received(beat(1), 500);
		peers.received(beat(2), 1_000);
		expect(peers.received(beat(4), 2_000)).toBe(1_000);
		expect(peers.received(beat(5), 2_500)).toBeUndefined();
	});

	it('are counted separately for each shard', () => {
		const peers = new PeerBeats();
		peers.received(beat(1), 500);
		expect(peers.received(beat(9, { shard: 1 }), 500)).toBeUndefined();
		expect(peers.received(beat(2), 1_000)).toBeUndefined();
		expect(peers.count).toBe(1);
	});

	it('report nothing for the time in which this node was not listening', () => {
		const peers = new PeerBeats();
		peers.received(beat(1), 500);
		peers.rebase(9_900);
		expect(peers.received(beat(20), 10_000)).toBeUndefined();
		expect(peers.received(beat(22), 11_000)).toBe(10_000);
	});

	it('report beats missed when the first one to arrive is not number one', () => {
		const peers = new PeerBeats();
		peers.rebase(10_000);
		expect(peers.received(beat(40), 10_600)).toBeUndefined();
		expect(peers.received(beat(1, { origin: 2 }), 20_000)).toBeUndefined();
		expect(peers.received(beat(3, { origin: 3 }), 20_000)).toBe(18_500);
		expect(peers.received(beat(1_000, { origin: 4 }), 20_000)).toBe(10_000);
	});

	it('forget a node that sends its last beat', () => {
		const peers = new PeerBeats();
		peers.received(beat(1), 500);
		peers.received(beat(0, { intervalMs: 0 }), 600);
		expect([peers.count, peers.newlySilent(100_000)]).toEqual([0, false]);
	});

	it('report a node silent after four of its own intervals, once, until its next beat', () => {
		const peers = new PeerBeats();
		peers.received(beat(1, { intervalMs: 1_000 }), 0);
		expect(peers.newlySilent(4_000)).toBe(false);
		expect([peers.newlySilent(4_001), peers.newlySilent(9_000)]).toEqual([true, false]);
		expect(peers.count).toBe(0);
		expect(peers.received(beat(3), 10_000)).toBe(0);
		expect(peers.count).toBe(1);
	});

	it('forget a node that was silent for ten minutes', () => {
		const peers = new PeerBeats();
		peers.received(beat(1), 0);
		peers.newlySilent(600_001);
		peers.rebase(600_001);
		expect(peers.received(beat(9), 600_002)).toBeUndefined();
	});
});

describe('a frame of a failed connection', () => {
	it('is late once a newer connection was seen', () => {
		const peers = new PeerBeats();
		peers.received(beat(1, { incarnation: 3 }), 500);
		expect(peers.isLate({ ...node, incarnation: 3 })).toBe(false);
		expect(peers.isLate({ ...node, incarnation: 4 })).toBe(false);
		expect(peers.isLate({ ...node, incarnation: 3 })).toBe(true);
		expect(peers.isLate({ ...node, shard: 1, incarnation: 0 })).toBe(false);
		expect(peers.isLate({ ...node, origin: 2, incarnation: 0 })).toBe(false);
	});
});
