import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import type { BeatStore, StoredBeat } from '../bus.ts';
import { sleep } from '../support/promises.ts';
import { type DigestEntry, encodeEntry } from '../wire/digest.ts';
import { decodeFrame, type Digest, encodeDigestHeader, randomOrigin } from '../wire/frame.ts';
import { type CaseContext, type CaseNode, SkippedCase } from './case-context.ts';
import type { Requirements } from './conformance.ts';
import { attemptUntil, until } from './waiting.ts';

/** Shorter than in real life, so that the cases are quick. In milliseconds. */
const SILENT_AFTER_MS = 300;
const DIGEST_EVERY_MS = 700;
/** So long that a digest of all nodes is not due in a case. */
const NEVER_MS = 600_000;
const COUNTS = { connections: 3, topics: 5 };
const SKEWS = { least: -1, most: 2 };

type Changes = Partial<StoredBeat>;

/** A node that beats on the first shard. */
interface BeatingNode {
	readonly origin: number;
	readonly own: string;
	readonly heartbeat: string;
	readonly store: BeatStore;
	/** Sends a beat, whose frame is its number as text. */
	beat(number: number, changes?: Changes): Promise<void>;
	make(number: number, changes?: Changes): StoredBeat;
	readonly node: CaseNode;
	/** The digests that have arrived. */
	digests(): Digest[];
}

/** The requirements of a bus that collects beats: see `BeatStore`. */
export const BEATS: Requirements = {
	async 'publishes a collected beat to its channel, after everything that was published before'(context) {
		const { node, own, heartbeat, beat } = await start(context);
		const { liveness } = node.bus;
		// The order holds only within a shard.
		const names = Array.from({ length: 1_000 }, (_, i) => `t${i}`);
		const topic = names.find((name) => liveness?.shardOf(name) === liveness?.shardOf(heartbeat)) ?? '';
		await node.bus.subscribe([topic]);
		const before = node.bus.publish(topic, new Uint8Array([1]));
		await Promise.all([before, beat(1), beat(2)]);
		await node.received.untilFrames(own, 2);
		deepEqual(
			node.received.frames.map(({ channel }) => channel).filter((each) => each === topic || each === own),
			[topic, own, own],
		);
		deepEqual(node.received.texts(own), ['1', '2']);
	},

	async 'carries the own channels of nodes on the shard of the heartbeat channel, each for one node'(context) {
		const a = await start(context);
		const b = await start(context);
		await a.beat(1);
		await b.beat(1);
		await Promise.all([a, b].map(({ node, own }) => node.received.untilFrames(own, 1)));
		equal(a.own === b.own, false, 'two nodes have the same channel');
		deepEqual(a.node.received.texts(b.own), []);
		const { liveness } = a.node.bus;
		equal(liveness?.shardOf(a.own), liveness?.shardOf(a.heartbeat));
	},

	async 'publishes a beat to the heartbeat channel without digests, if none are wanted'(context) {
		const a = await start(context);
		const b = await start(context);
		for (const each of [a, b]) await each.beat(1, { channel: each.heartbeat, isCollected: false, digestEveryMs: 1 });
		for (const each of [a, b]) await each.node.received.untilFrames(a.heartbeat, 2);
		deepEqual(a.digests(), []);
	},

	async 'tells at once, in a digest, of a node that is new or has skipped a number'(context) {
		const a = await start(context);
		const b = await start(context);
		await a.beat(1);
		await b.beat(7);
		const first = await entryOf(context, a, b.origin);
		deepEqual(
			[first.number, first.run, first.incarnation, first.counts, first.pauseMs],
			[7, 1, 2, COUNTS, 500],
			'the entry of a new node',
		);
		await b.beat(8);
		await b.beat(11);
		const skipped = await entryOf(context, a, b.origin, ({ number }) => number === 11);
		equal(skipped.run, 1, 'the run after a skipped number');
		ok(skipped.ageMs < context.timeoutMs, `an age of ${skipped.ageMs}`);
		const told = a.digests().flatMap(({ entries }) => entries.filter((each) => each.origin === b.origin));
		equal(told.filter(({ number }) => number === 8).length, 0, 'a number that follows is not told at once');
	},

	async 'tells of all nodes at regular intervals, with the runs of their numbers'(context) {
		const a = await start(context);
		const b = await start(context);
		for (const number of [4, 5, 6, 6, 7]) await b.beat(number);
		const all = await fullDigest(context, a, [a.origin, b.origin]);
		const entry = all.entries.find(({ origin }) => origin === b.origin);
		deepEqual([entry?.number, entry?.run], [7, 4]);
		deepEqual(all.skews, SKEWS);
		const count = fulls(a).length;
		await beatUntil(context, a, () => fulls(a).length > count, 'another digest of all nodes');
	},

	async 'publishes a digest before the frame of the beat that caused it'(context) {
		const a = await start(context);
		await a.beat(1);
		await a.node.received.untilFrames(a.own, 1);
		const channels = a.node.received.frames.map(({ channel }) => channel);
		deepEqual(channels, [a.heartbeat, a.own]);
	},

	async 'tells of a node that falls silent once, and when it is back'(context) {
		const a = await start(context);
		const b = await start(context);
		await b.beat(1);
		const isSilent = ({ ageMs }: DigestEntry): boolean => ageMs >= SILENT_AFTER_MS;
		const told = (): DigestEntry[] =>
			a.digests().flatMap(({ isFull, entries }) => (isFull ? [] : entries.filter(({ origin }) => origin === b.origin)));
		await beatUntil(context, a, () => told().some(isSilent), 'a digest of the silent node');
		const since = performance.now();
		await beatUntil(context, a, () => performance.now() - since > 2 * SILENT_AFTER_MS, 'a while');
		equal(told().filter(isSilent).length, 1, 'digests of the silent node');
		const before = told().length;
		await b.beat(2);
		await beatUntil(context, a, () => told().length > before, 'a digest of the node that is back');
		equal(told().at(-1)?.number, 2);
	},

	async 'does not record a beat of an earlier connection, which comes late'(context) {
		const a = await start(context);
		const b = await start(context);
		await b.beat(5);
		await b.beat(4, { incarnation: 1 });
		await b.node.received.untilFrames(b.own, 2);
		await b.beat(6);
		const all = await fullDigest(context, a, [a.origin, b.origin]);
		const entry = all.entries.find(({ origin }) => origin === b.origin);
		deepEqual([entry?.number, entry?.run], [6, 2]);
	},

	async 'forgets a node with its last beat, after a digest of it'(context) {
		const a = await start(context);
		const b = await start(context);
		b.store.describe('b');
		await b.beat(1);
		await b.beat(2);
		await b.store.remove(b.heartbeat, b.make(3, { channel: b.heartbeat }));
		await a.node.received.untilFrames(b.heartbeat, 2);
		await until(
			() => a.node.received.texts(b.heartbeat).includes('3'),
			context.timeoutMs,
			() => 'the last beat did not arrive',
		);
		const last = await entryOf(context, a, b.origin, ({ number }) => number === 3);
		equal(last.run, 3);
		const frames = a.node.received.frames.filter(({ channel }) => channel === b.heartbeat);
		equal(new TextDecoder().decode(frames.at(-1)?.frame), '3', 'the last beat comes after its digest');
		const all = await fullDigest(context, a, [a.origin]);
		deepEqual(
			all.entries.map(({ origin }) => origin),
			[a.origin],
		);
		deepEqual(await a.store.list(), []);
	},

	async 'lists what nodes have said of themselves'(context) {
		const a = await start(context);
		const b = await start(context);
		deepEqual(await a.store.list(), []);
		await a.beat(1);
		b.store.describe('first');
		b.store.describe('b, "é"');
		await b.beat(1);
		const [listed, ...more] = await a.store.list();
		deepEqual([listed?.origin, listed?.text, more], [b.origin, 'b, "é"', []]);
		ok(listed !== undefined && listed.ageMs >= 0 && listed.ageMs < context.timeoutMs, `an age of ${listed?.ageMs}`);
		b.store.describe('changed');
		await b.beat(2);
		deepEqual(
			(await a.store.list()).map(({ text }) => text),
			['changed'],
		);
	},

	async 'rejects beats in an outage, and takes them after it'(context) {
		context.needs('cut', 'restore');
		const a = await start(context);
		const b = await start(context);
		await b.beat(1);
		await context.cut(b.node.bus);
		await rejects(b.beat(2), Error, 'beat() must reject in an outage');
		await rejects(b.store.list(), Error, 'list() must reject in an outage');
		await context.restore(b.node.bus);
		await attemptUntil(
			() => b.beat(2, { incarnation: 3 }),
			() => b.node.received.texts(b.own).includes('2'),
			context.timeoutMs,
			() => 'no beat arrived after the outage',
		);
		const all = await fullDigest(context, a, [a.origin, b.origin]);
		equal(all.entries.find(({ origin }) => origin === b.origin)?.incarnation, 3);
	},
};

async function start(context: CaseContext): Promise<BeatingNode> {
	const node = await context.startNode();
	const { liveness } = node.bus;
	const store = liveness?.beats;
	if (liveness === undefined || store === undefined) throw new SkippedCase('the bus collects no beats');
	const heartbeat = liveness.heartbeatChannels()[0] ?? '';
	const origin = randomOrigin();
	const own = store.ownChannel(heartbeat, origin);
	await node.bus.subscribe([heartbeat, own]);
	const make = (number: number, changes: Changes = {}): StoredBeat => {
		const { incarnation = 2 } = changes;
		const sender = { origin, shard: 0, incarnation };
		return {
			origin,
			number,
			incarnation,
			channel: own,
			frame: new TextEncoder().encode(String(number)),
			entry: encodeEntry({ ...sender, number, sentAt: Date.now(), pauseMs: 500, counts: COUNTS }),
			digestHeader: encodeDigestHeader(sender, SKEWS),
			isCollected: true,
			digestEveryMs: NEVER_MS,
			silentAfterMs: SILENT_AFTER_MS,
			forgetAfterMs: NEVER_MS,
			run: 1,
			...changes,
		};
	};
	return {
		origin,
		own,
		heartbeat,
		store,
		make,
		beat: (number, changes) => store.beat(heartbeat, make(number, changes)),
		node,
		digests: () =>
			node.received.frames.flatMap(({ channel, frame }) => {
				const decoded = channel === heartbeat ? decodeFrame(frame, 0) : 'malformed';
				return typeof decoded !== 'string' && decoded.type === 'digest' ? [decoded] : [];
			}),
	};
}

/** Resolves with an entry of a node for which a condition holds, in any digest. */
async function entryOf(
	{ timeoutMs }: CaseContext,
	{ digests }: BeatingNode,
	origin: number,
	isWanted: (entry: DigestEntry) => boolean = () => true,
): Promise<DigestEntry> {
	const find = (): DigestEntry | undefined =>
		digests()
			.flatMap(({ entries }) => entries.filter((each) => each.origin === origin))
			.find(isWanted);
	await until(
		() => find() !== undefined,
		timeoutMs,
		() => `no digest told of the node ${origin} as expected: ${JSON.stringify(digests())}`,
	);
	return find() as DigestEntry;
}

function fulls({ digests }: BeatingNode): Digest[] {
	return digests().filter(({ isFull }) => isFull);
}

/** Has a node beat until a condition holds. */
async function beatUntil(
	{ timeoutMs }: CaseContext,
	node: BeatingNode,
	condition: () => boolean,
	what: string,
): Promise<void> {
	let number = node.node.received.texts(node.own).length;
	await attemptUntil(
		async () => {
			await node.beat(++number, { digestEveryMs: DIGEST_EVERY_MS });
			await sleep(SILENT_AFTER_MS / 6);
		},
		condition,
		timeoutMs,
		() => `waited for ${what}, got ${JSON.stringify(node.digests())}`,
	);
}

/** Has a node beat until a digest of all nodes arrives, which has to tell of these. Resolves with it. */
async function fullDigest(context: CaseContext, node: BeatingNode, origins: readonly number[]): Promise<Digest> {
	const find = (): Digest | undefined =>
		fulls(node).findLast(({ entries }) => origins.every((each) => entries.some(({ origin }) => origin === each)));
	await beatUntil(context, node, () => find() !== undefined, 'a digest of all nodes');
	return find() as Digest;
}
