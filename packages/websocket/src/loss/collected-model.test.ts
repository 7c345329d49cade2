import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { StoredBeat } from '../bus.ts';
import { MemoryBeats } from '../testing/memory-beats.ts';
import { encodeEntry } from '../wire/digest.ts';
import { type Beat, decodeFrame, encodeDigestHeader } from '../wire/frame.ts';
import { DIGEST_EVERY_MS, FORGET_AFTER_MS, OVERDUE_AFTER_BEATS, SILENT_AFTER_MS } from './beat-timing.ts';
import { PeerBeats } from './peer-beats.ts';

const STEP_MS = 50;
const INTERVAL_MS = 500;
/** How much earlier than the time that is accounted for a gap begins. */
const SLACK_MS = INTERVAL_MS / 2;
/** For how long after an interruption nodes may be on the server where they were in the interruption. */
const JUST_AFTER_MS = OVERDUE_AFTER_BEATS * INTERVAL_MS;
const AHEAD_MS = 1_000_000;
const COUNTS = { connections: 0, topics: 0 };
const SKEWS = { least: 0, most: 0 };
const HERE = 1;
const THERE = 2;
const OTHER = 3;

type Place = 'first' | 'second';

/** What happens, and after how many steps the next thing does. */
const step = fc.record({
	wait: fc.integer({ min: 1, max: 260 }),
	what: fc.constantFrom(
		'sender away',
		'sender elsewhere',
		'sender frozen',
		'receiver away',
		'receiver elsewhere',
		'restart',
		'collect',
		'share',
		'nothing',
	),
	forMs: fc.integer({ min: 1, max: 240 }).map((steps) => steps * STEP_MS),
});

interface Span {
	readonly since: number;
	readonly until: number;
}

/** Two servers, a node that publishes and beats, and one that receives. Nodes besides them have digests made. */
class World {
	now = 0;
	readonly gaps: Span[] = [];
	/** When messages were accepted that did not arrive. */
	readonly lost: number[] = [];
	/** When the receiver had subscribed again. */
	readonly connectedAt: number[] = [];
	readonly #servers = { first: new MemoryBeats(), second: new MemoryBeats() };
	readonly #peers = new PeerBeats();
	readonly #sender = { place: 'first' as Place | undefined, isFrozen: false, isOwn: false, mustBeOwn: false };
	#receiver: Place | undefined = 'first';
	#interruptedAt = 0;
	readonly #busyUntil = { sender: 0, receiver: 0 };
	#number = 0;
	#sharedFrom = 1;
	/** How many beats the sender has sent over its connection. */
	#run = 0;
	#acceptedAt = -Infinity;
	#otherNumber = 0;
	readonly #later: { readonly at: number; readonly run: () => void }[] = [];

	constructor(isCollected: boolean) {
		this.#sender.mustBeOwn = isCollected;
		this.#peers.start(0);
	}

	do(what: string, forMs: number): void {
		const sender = this.#sender;
		// A fault begins once the one before of the same node has ended.
		for (const who of ['sender', 'receiver'] as const) {
			if (what !== 'restart' && !what.startsWith(who)) continue;
			if (this.now < this.#busyUntil[who]) return;
		}
		for (const who of ['sender', 'receiver'] as const) {
			if (what === 'restart' || what.startsWith(who)) this.#busyUntil[who] = this.now + forMs + 2_500;
		}
		if (what === 'sender away') {
			this.#lead(undefined);
			this.#in(forMs, () => this.#lead('first'));
		} else if (what === 'sender elsewhere') {
			// Without a beat, no node could know.
			this.#lead('second');
			this.#in(forMs + INTERVAL_MS, () => this.#lead('first'));
		} else if (what === 'sender frozen') {
			sender.isFrozen = true;
			this.#in(forMs, () => (sender.isFrozen = false));
		} else if (what === 'receiver away') {
			this.#disconnect();
			this.#in(forMs, () => this.#connect('first'));
		} else if (what === 'receiver elsewhere') {
			this.#disconnect();
			this.#in(200, () => this.#connect('second'));
			this.#in(forMs + 200, () => this.#disconnect());
			this.#in(forMs + 400, () => this.#connect('first'));
		} else if (what === 'restart') {
			this.#servers.first.clear();
			this.#disconnect();
			this.#lead(undefined);
			this.#in(200 + (forMs % 2_000), () => this.#lead('first'));
			this.#in(200 + (forMs % 700), () => this.#connect('first'));
		} else if (what === 'collect' || what === 'share') {
			sender.mustBeOwn = what === 'collect';
		}
	}

	run(steps: number): void {
		for (let i = 0; i < steps; i++) {
			this.now += STEP_MS;
			for (const each of this.#later.filter(({ at }) => at <= this.now)) {
				this.#later.splice(this.#later.indexOf(each), 1);
				each.run();
			}
			const { place, isFrozen } = this.#sender;
			if (!isFrozen && place !== undefined && place !== this.#receiver) this.lost.push(this.now);
			if (this.now % INTERVAL_MS === 100 && !isFrozen && place !== undefined) this.#beat(place);
			if (this.now % INTERVAL_MS === 300) for (const each of ['first', 'second'] as const) this.#beatOfOther(each);
			if (this.now % INTERVAL_MS === 0) this.#tick();
		}
	}

	/** Gives the sender another connection. */
	#lead(place: Place | undefined): void {
		this.#sender.place = place;
		this.#run = 0;
	}

	#in(ms: number, run: () => void): void {
		this.#later.push({ at: this.now + ms, run });
	}

	#disconnect(): void {
		if (this.#receiver !== undefined) this.#interruptedAt = this.now - (this.now % INTERVAL_MS);
		this.#receiver = undefined;
	}

	#connect(place: Place): void {
		if (this.#receiver !== undefined) return;
		this.#receiver = place;
		this.connectedAt.push(this.now);
		let from = this.#interruptedAt;
		for (const { arrived, isOverdue } of this.#peers.interrupted(0, this.#interruptedAt, this.now))
			if (!isOverdue) from = Math.min(from, arrived.at);
		this.#gap(from);
	}

	#gap(since: number): void {
		this.gaps.push({ since: since - SLACK_MS, until: this.now });
	}

	/** As {@link OwnBeats} does it. */
	#beat(place: Place): void {
		const sender = this.#sender;
		const number = ++this.#number;
		if (sender.isOwn && !sender.mustBeOwn) {
			sender.isOwn = false;
			this.#sharedFrom = number;
		}
		const endsShared = sender.mustBeOwn && !sender.isOwn;
		const pauseMs = this.now - this.#acceptedAt;
		this.#run++;
		this.#acceptedAt = this.now;
		this.#record(place, THERE, number, pauseMs);
		const times = { intervalMs: INTERVAL_MS, sentAt: AHEAD_MS + this.now, isLast: false };
		const sentWith = {
			sharedFrom: this.#sharedFrom,
			endsShared,
			pauseMs,
			run: this.#run,
			counts: COUNTS,
			skews: SKEWS,
		};
		const beat: Beat = { type: 'beat', origin: THERE, shard: 0, incarnation: 0, number, ...times, ...sentWith };
		if (!sender.isOwn && place === this.#receiver) this.#missed(this.#peers.received(beat, this.now)?.at);
		if (endsShared) sender.isOwn = true;
	}

	#beatOfOther(place: Place): void {
		this.#record(place, place === 'first' ? OTHER : OTHER + 1, ++this.#otherNumber, INTERVAL_MS);
	}

	#record(place: Place, origin: number, number: number, pauseMs: number): void {
		const sentAt = AHEAD_MS + this.now;
		const beat: StoredBeat = {
			origin,
			number,
			incarnation: 0,
			channel: '!',
			frame: new Uint8Array(),
			entry: encodeEntry({ origin, number, incarnation: 0, sentAt, pauseMs, counts: COUNTS }),
			digestHeader: encodeDigestHeader({ origin, shard: 0, incarnation: 0 }, SKEWS),
			isCollected: true,
			digestEveryMs: DIGEST_EVERY_MS,
			silentAfterMs: SILENT_AFTER_MS,
			forgetAfterMs: FORGET_AFTER_MS,
			run: origin === THERE ? this.#run : 1,
		};
		for (const frame of this.#servers[place].record(beat, undefined, this.now)) {
			const digest = decodeFrame(frame, HERE);
			if (place !== this.#receiver || typeof digest === 'string' || digest.type !== 'digest') continue;
			if (digest.isFull) this.#peers.digestedAll(0, this.now);
			for (const entry of digest.entries) {
				if (entry.origin !== THERE) continue;
				this.#missed(this.#peers.digested(entry, 0, INTERVAL_MS, this.now).missedSince?.at);
			}
		}
	}

	#missed(since: number | undefined): void {
		if (since !== undefined) this.#gap(since);
	}

	#tick(): void {
		const provenAt = this.#receiver === undefined ? this.#interruptedAt : this.now;
		this.#peers.newlySuspicious(this.now);
		for (const { since } of this.#peers.unproven(this.now)) this.#gap(since.at);
		for (const { since } of this.#peers.givenUp(() => provenAt, this.now)) this.#gap(since.at);
	}
}

it('whatever happens to nodes and servers, and however beats travel, no message is lost without a gap', () => {
	fc.assert(
		fc.property(fc.boolean(), fc.array(step, { minLength: 1, maxLength: 12, size: 'max' }), (isCollected, steps) => {
			const world = new World(isCollected);
			world.run(120);
			for (const { what, forMs, wait } of steps) {
				world.do(what, forMs);
				world.run(wait);
			}
			world.run(800);
			const { lost, gaps, connectedAt } = world;
			// A node that comes to the server soon after this one is taken to have come as soon.
			const isJustAfter = (at: number): boolean =>
				connectedAt.some((since) => since <= at && at <= since + JUST_AFTER_MS);
			const isReported = (at: number): boolean => gaps.some(({ since, until }) => since <= at && at <= until);
			const silent = lost.filter((at) => !isReported(at) && !isJustAfter(at));
			expect({ silent, gaps: silent.length > 0 ? gaps : [] }).toEqual({ silent: [], gaps: [] });
		}),
		{ numRuns: 1_500 },
	);
}, 60_000);

it('nothing is reported as missing when a node was only away or frozen, or its beats travel in another way', () => {
	const harmless = step.filter(({ what }) => ['collect', 'share', 'nothing'].includes(what));
	const pauses = step
		.filter(({ what }) => what === 'sender frozen' || what === 'sender away')
		.map((each) => ({ ...each, forMs: Math.min(each.forMs, 9_000), wait: 260 }));
	fc.assert(
		fc.property(
			fc.boolean(),
			fc.array(fc.oneof({ weight: 3, arbitrary: harmless }, { weight: 1, arbitrary: pauses }), { maxLength: 20 }),
			(isCollected, steps) => {
				const world = new World(isCollected);
				world.run(120);
				for (const { what, forMs, wait } of steps) {
					world.do(what, forMs);
					world.run(wait);
				}
				world.run(800);
				expect([world.lost, world.gaps]).toEqual([[], []]);
			},
		),
		{ numRuns: 500 },
	);
}, 60_000);
