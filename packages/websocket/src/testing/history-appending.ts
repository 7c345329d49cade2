import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { LONGEST_STEP } from '../history/history-store.ts';
import { FrameRecorder } from './frame-recorder.ts';
import {
	assertAllHeard,
	assertChain,
	bytes,
	contents,
	historyNode,
	historyNodes,
	historyOf,
	readAll,
	ROOMY,
} from './history-stage.ts';
import type { Promises } from './stage.ts';

/** What `append` does: numbering, storing, handing out. */
export const APPENDING: Promises = {
	async 'offsets go on from the one before by random steps, within one epoch'(stage) {
		const node = await historyNode(stage, 't');
		for (let i = 0; i < 100; i++) {
			await node.history.append('t', [`${i}`], ROOMY);
			await node.history.append('t', [`${i}`, `${i}`], ROOMY);
			const { last, entries } = await node.history.read('t', { limit: 1 }, ROOMY);
			equal(last, entries[0]?.offset, 'the last offset must be that of the newest message');
		}
		await assertAllHeard([node], 't', 300);
		const { epoch, entries } = await readAll(node);
		match(epoch, /^[A-Za-z0-9_-]{16}$/);
		const steps = entries.map(({ offset, prev }) => offset - prev);
		ok(new Set(steps).size > 250, `steps must be random: ${steps.slice(0, 20).join()}`);
		ok(Math.max(...steps) > LONGEST_STEP / 2, 'steps must be spread over all that is allowed');
	},

	async 'messages carry the time they were stored at'(stage) {
		const node = await historyNode(stage);
		await node.history.append('t', ['x'], ROOMY);
		const timestamp = (await readAll(node)).entries[0]?.timestamp ?? Number.NaN;
		ok(Number.isInteger(timestamp));
		// Another machine's clock is not this one's; but it isn't one that counts seconds.
		ok(Math.abs(timestamp - Date.now()) < 24 * 60 * 60_000, `in milliseconds since the epoch: ${timestamp}`);
	},

	async 'text and bytes stay what they are, byte for byte, live and stored'(stage) {
		const [a, b] = [await historyNode(stage, 't'), await historyNode(stage, 't')];
		const large = 1024 * 1024;
		const messages = [
			'text',
			'',
			bytes(),
			'Grüße 👩‍👩‍👧 \u{1F980} 漢字',
			'a\0b\r\n"\\\u2028',
			'\uFEFFx',
			bytes(0),
			Uint8Array.from({ length: 256 }, (_, i) => i),
			bytes(0xff, 0xfe, 0x80, 0xc0),
			new TextEncoder().encode('text'),
			'0',
			'1',
			'-1',
			'null',
			'{"a":1}',
			't',
			'b',
			'\x01',
			'\x80',
			'é'.repeat(large / 2),
			new Uint8Array(large).map((_, i) => (i * 31) % 251),
		];
		for (const message of messages) await a.history.append('t', [message], ROOMY);
		await a.history.append('t', messages, ROOMY);
		await assertAllHeard([a, b], 't', 2 * messages.length);
		deepEqual(contents(b.seen.entries('t')), [...messages, ...messages]);
		deepEqual(contents((await readAll(b)).entries), [...messages, ...messages]);
	},

	async 'messages of one call stay together and in order'(stage) {
		const [a, b] = await historyNodes(stage, 2, 't');
		const batches = Array.from({ length: 40 }, (_, batch) =>
			Array.from({ length: 25 }, (_, i) => (i % 2 === 0 ? `${batch}/${i}` : bytes(batch, i))),
		);
		await Promise.all(batches.map((batch, i) => (i % 2 === 0 ? a! : b!).history.append('t', batch, ROOMY)));
		await assertAllHeard([a!, b!], 't', 1_000);
		const stored = contents((await readAll(a!)).entries);
		const first = batches.map((batch) => stored.indexOf(batch[0]!));
		for (const [i, batch] of batches.entries()) deepEqual(stored.slice(first[i], first[i]! + 25), batch);
	},

	async 'a slice has no holes and ends at or before the last offset'(stage) {
		const node = await historyNode(stage, 't');
		for (let i = 1; i <= 20; i++)
			await node.history.append(
				't',
				Array.from({ length: i }, () => 'x'),
				ROOMY,
			);
		await node.seen.untilEntries('t', 210);
		for (const { slice } of node.seen.slices) {
			const first = slice.entries[0];
			ok(first !== undefined, 'a slice that is handed out has an entry at least');
			assertChain(slice.entries, first.prev);
			ok(slice.last >= slice.entries.at(-1)!.offset);
		}
		equal(node.seen.slices.at(-1)?.slice.last, node.seen.entries('t').at(-1)?.offset);
	},

	async 'a message reaches the nodes that are subscribed, the appending one as well, and no others'(stage) {
		const [a, b] = await historyNodes(stage, 2, 't', 'end');
		const [never, gone] = [await historyNode(stage, 'end'), await historyNode(stage, 't', 'end')];
		await gone.bus.unsubscribe(['t']);
		await a!.history.append('t', ['x'], ROOMY);
		await a!.history.append('end', ['x'], ROOMY);
		await assertAllHeard([a!, b!], 't', 1);
		for (const { seen } of [never, gone]) {
			await seen.untilEntries('end', 1);
			deepEqual(seen.entries('t'), []);
		}
	},

	async 'a message nobody is subscribed to is stored, for nodes that start later too'(stage) {
		const a = await historyNode(stage);
		await a.history.append('t', ['x'], ROOMY);
		await a.bus.stop();
		deepEqual(contents((await readAll(await historyNode(stage))).entries), ['x']);
	},

	async 'who hears a message can read it'(stage) {
		const [a, b] = await historyNodes(stage, 2, 't');
		for (let i = 0; i < 50; i++) {
			const appended = a!.history.append('t', [`${i}`], ROOMY);
			const [read] = await Promise.all([
				b!.seen.untilEntries('t', i + 1).then(() => b!.history.read('t', { limit: 1 }, ROOMY)),
				appended,
			]);
			deepEqual(contents(read.entries), [`${i}`]);
		}
	},

	async 'nodes that race are put in one order, the same for all: two nodes'(stage) {
		const nodes = await historyNodes(stage, 2, 't');
		await Promise.all(
			nodes.flatMap(({ history }, n) =>
				Array.from({ length: 500 }, (_, i) => history.append('t', [`${n}/${i}`], ROOMY)),
			),
		);
		await assertAllHeard(nodes, 't', 1_000);
		equal(new Set(contents((await readAll(nodes[0]!)).entries)).size, 1_000);
	},

	async 'nodes that race are put in one order, the same for all: eight nodes, on topics of their own as well'(stage) {
		const nodes = await historyNodes(stage, 8, 't', 'u');
		await Promise.all(
			nodes.map(async ({ history }, n) => {
				for (let i = 0; i < 200; i++) {
					await Promise.all(['t', 'u'].map((topic) => history.append(topic, [`${n}/${i}`], ROOMY)));
				}
			}),
		);
		for (const topic of ['t', 'u']) {
			await assertAllHeard(nodes, topic, 1_600);
			const stored = contents((await readAll(nodes[0]!, topic)).entries);
			for (const n of nodes.keys()) {
				const own = Array.from({ length: 200 }, (_, i) => `${n}/${i}`);
				const seen = stored.filter((content) => String(content).startsWith(`${n}/`));
				deepEqual(seen, own, 'what was awaited comes before what was appended then');
			}
		}
	},

	async 'frames of a topic and its messages do not mix'(stage) {
		const [a, b] = await historyNodes(stage, 2, 't');
		await a!.bus.publish('t', new TextEncoder().encode('frame'));
		await a!.history.append('t', ['message', bytes(1)], ROOMY);
		await a!.bus.publish('t', bytes());
		await b!.seen.until('t', 2);
		await assertAllHeard([b!], 't', 2);
		deepEqual(b!.seen.texts('t'), ['frame', '']);
		deepEqual(contents(b!.seen.entries('t')), ['message', bytes(1)]);
	},

	async 'bytes belong to whoever gave or got them'(stage) {
		const [a, b, c] = await historyNodes(stage, 3, 't');
		const given = bytes(1, 2, 3);
		await a!.history.append('t', [given], ROOMY);
		given.fill(0);
		const spoil = (of: unknown): void => void (of as Uint8Array).fill(0);
		await b!.seen.untilEntries('t', 1);
		spoil(b!.seen.entries('t')[0]?.content);
		await c!.seen.untilEntries('t', 1);
		deepEqual(contents(c!.seen.entries('t')), [bytes(1, 2, 3)]);
		spoil((await readAll(a!)).entries[0]?.content);
		deepEqual(contents((await readAll(a!)).entries), [bytes(1, 2, 3)]);
		spoil(c!.seen.entries('t')[0]?.content);
		deepEqual(contents((await readAll(a!)).entries), [bytes(1, 2, 3)]);
	},

	async 'before start and after stop, append and read reject, and nothing is stored'(stage) {
		const witness = await historyNode(stage);
		const bus = stage.createBus();
		const history = historyOf(bus);
		const refuses = async (): Promise<void> => {
			await rejects(history.append('t', ['x'], ROOMY), Error, 'append() must reject while the bus is not started');
			await rejects(history.append('t', ['x'], ROOMY, 'key'), Error, 'append() must reject, with a key as well');
			await rejects(history.read('t', { limit: 1 }, ROOMY), Error, 'read() must reject while the bus is not started');
		};
		await refuses();
		await bus.start(new FrameRecorder());
		await bus.stop();
		await refuses();
		equal((await readAll(witness)).last, 0);
	},

	async 'after a stop no messages are heard, after another start they are'(stage) {
		const [a, b] = await historyNodes(stage, 2, 't');
		await b!.bus.stop();
		await a!.history.append('t', ['missed'], ROOMY);
		const again = new FrameRecorder();
		await b!.bus.start(again);
		await b!.history.prepare();
		await b!.bus.subscribe(['t']);
		await a!.history.append('t', ['heard'], ROOMY);
		await again.untilEntries('t', 1);
		deepEqual(contents(again.entries('t')), ['heard']);
		deepEqual(b!.seen.entries('t'), []);
		deepEqual(contents((await readAll(b!)).entries), ['missed', 'heard']);
	},

	async 'all of this happens without a background error'(stage) {
		const { history, seen, bus } = await historyNode(stage, 't');
		await history.append('t', ['x'], ROOMY);
		await history.append('t', ['y'], ROOMY, 'key');
		await history.read('t', { limit: 1 }, ROOMY);
		await seen.untilEntries('t', 2);
		await bus.stop();
		ok(seen.errors.length === 0, seen.errors.map(String).join());
	},
};
