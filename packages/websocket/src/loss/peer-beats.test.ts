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

describe('what beats of other nodes tell', () => {
	it('nothing is missing as long as their numbers follow each other, or one comes twice', () => {
		const peers = new PeerBeats();
		peers.rebase(3_500);
		for (const number of [7, 8, 8, 9]) expect(peers.heard(beat(number), number * 500)).toBeUndefined();
		expect(peers.count).toBe(1);
	});

	it('a jump means that nothing was heard since the last one', () => {
		const peers = new PeerBeats();
		peers.heard(beat(1), 500);
		peers.heard(beat(2), 1_000);
		expect(peers.heard(beat(4), 2_000)).toBe(1_000);
		expect(peers.heard(beat(5), 2_500)).toBeUndefined();
	});

	it('each connection of a node counts for itself', () => {
		const peers = new PeerBeats();
		peers.heard(beat(1), 500);
		expect(peers.heard(beat(9, { shard: 1 }), 500)).toBeUndefined();
		expect(peers.heard(beat(2), 1_000)).toBeUndefined();
		expect(peers.count).toBe(1);
	});

	it('what was missed while this node did not listen says nothing new', () => {
		const peers = new PeerBeats();
		peers.heard(beat(1), 500);
		peers.rebase(9_900);
		expect(peers.heard(beat(20), 10_000)).toBeUndefined();
		expect(peers.heard(beat(22), 11_000)).toBe(10_000);
	});

	it('a node heard for the first time with a later beat than its first was not heard before', () => {
		const peers = new PeerBeats();
		peers.rebase(10_000);
		expect(peers.heard(beat(40), 10_600)).toBeUndefined();
		expect(peers.heard(beat(1, { origin: 2 }), 20_000)).toBeUndefined();
		expect(peers.heard(beat(3, { origin: 3 }), 20_000)).toBe(18_500);
		expect(peers.heard(beat(1_000, { origin: 4 }), 20_000)).toBe(10_000);
	});

	it('a node whose beat is overdue has not been heard since its last, unless that was looked into', () => {
		const peers = new PeerBeats();
		peers.heard(beat(1), 1_000);
		peers.heard(beat(1, { origin: 2 }), 4_000);
		expect(peers.unheardSince(1_750)).toBeUndefined();
		expect(peers.unheardSince(4_100)).toBe(1_000);
		peers.newlySilent(4_100);
		peers.dismissSilent();
		expect(peers.unheardSince(4_100)).toBeUndefined();
		expect(peers.unheardSince(5_000)).toBe(4_000);
	});

	it('a node that says goodbye is gone and missed by nobody', () => {
		const peers = new PeerBeats();
		peers.heard(beat(1), 500);
		peers.heard(beat(0, { intervalMs: 0 }), 600);
		expect([peers.count, peers.newlySilent(100_000)]).toEqual([0, false]);
	});

	it('a node is silent after four of its own intervals, told once, and back with its next beat', () => {
		const peers = new PeerBeats();
		peers.heard(beat(1, { intervalMs: 1_000 }), 0);
		expect(peers.newlySilent(4_000)).toBe(false);
		expect([peers.newlySilent(4_001), peers.newlySilent(9_000)]).toEqual([true, false]);
		expect(peers.count).toBe(0);
		expect(peers.heard(beat(3), 10_000)).toBe(0);
		expect(peers.count).toBe(1);
	});

	it('a node that was silent for ten minutes is forgotten', () => {
		const peers = new PeerBeats();
		peers.heard(beat(1), 0);
		peers.newlySilent(600_001);
		peers.rebase(600_001);
		expect(peers.heard(beat(9), 600_002)).toBeUndefined();
	});
});

describe('what a failed connection still delivers', () => {
	it('is late once a newer one was heard of', () => {
		const peers = new PeerBeats();
		peers.heard(beat(1, { incarnation: 3 }), 500);
		expect(peers.isLate({ ...node, incarnation: 3 })).toBe(false);
		expect(peers.isLate({ ...node, incarnation: 4 })).toBe(false);
		expect(peers.isLate({ ...node, incarnation: 3 })).toBe(true);
		expect(peers.isLate({ ...node, shard: 1, incarnation: 0 })).toBe(false);
		expect(peers.isLate({ ...node, origin: 2, incarnation: 0 })).toBe(false);
	});
});
