import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { LONGEST_STEP } from '../history/history-store.ts';
import { BusRecorder } from './bus-recorder.ts';
import { assertAllReceived, assertChain, bytes, contents } from './history-assertions.ts';
import { historyOf, readAll, ROOMY, startHistoryNode, startHistoryNodes } from './history-node.ts';
import type { Requirements } from './conformance.ts';

/** The requirements for `append`, which numbers, stores and delivers messages. */
export const APPENDING: Requirements = {
	async 'offsets grow by random steps within one epoch'(context) {
		const node = await startHistoryNode(context, 't');
		for (let i = 0; i < 100; i++) {
			await node.history.append('t', [`${i}`], ROOMY);
			await node.history.append('t', [`${i}`, `${i}`], ROOMY);
			const { last, entries } = await node.history.read('t', { limit: 1 }, ROOMY);
			equal(last, entries[0]?.offset, 'the last offset must be that of the newest message');
		}
		await assertAllReceived([node], 't', 300);
		const { epoch, entries } = await readAll(node);
		match(epoch, /^[A-Za-z0-9_-]{16}$/);
		const steps = entries.map(({ offset, prev }) => offset - prev);
		ok(new Set(steps).size > 250, `steps must be random: ${steps.slice(0, 20).join()}`);
		ok(Math.max(...steps) > LONGEST_STEP / 2, 'steps must be spread over the whole range');
	},

	async 'resolves with the position of the last message'(context) {
		const [a, b] = await startHistoryNodes(context, 2);
		for (let i = 0; i < 20; i++) {
			const position = await (i % 2 === 0 ? a! : b!).history.append('t', [`${i}`, `${i}`], ROOMY);
			const { epoch, entries } = await a!.history.read('t', { limit: 1 }, ROOMY);
			deepEqual(position, { epoch, offset: entries[0]?.offset });
		}
	},

	async 'messages carry the time at which they were stored'(context) {
		const node = await startHistoryNode(context);
		await node.history.append('t', ['x'], ROOMY);
		const timestamp = (await readAll(node)).entries[0]?.timestamp ?? Number.NaN;
		ok(Number.isInteger(timestamp));
		// The backend's clock may differ from this one, but it must not count in seconds.
		ok(
			Math.abs(timestamp - Date.now()) < 24 * 60 * 60_000,
			`a timestamp must be in milliseconds since the epoch, not ${timestamp}`,
		);
	},

	async 'text and bytes are delivered and stored byte for byte'(context) {
		const [a, b] = [await startHistoryNode(context, 't'), await startHistoryNode(context, 't')];
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
		await assertAllReceived([a, b], 't', 2 * messages.length);
		deepEqual(contents(b.received.entries('t')), [...messages, ...messages]);
		deepEqual(contents((await readAll(b)).entries), [...messages, ...messages]);
	},

	async 'messages of one call stay together and in order'(context) {
		const [a, b] = await startHistoryNodes(context, 2, 't');
		const batches = Array.from({ length: 40 }, (_, batch) =>
			Array.from({ length: 25 }, (_, i) => (i % 2 === 0 ? `${batch}/${i}` : bytes(batch, i))),
		);
		await Promise.all(batches.map((batch, i) => (i % 2 === 0 ? a! : b!).history.append('t', batch, ROOMY)));
		await assertAllReceived([a!, b!], 't', 1_000);
		const stored = contents((await readAll(a!)).entries);
		const first = batches.map((batch) => stored.indexOf(batch[0]!));
		for (const [i, batch] of batches.entries()) deepEqual(stored.slice(first[i], first[i]! + 25), batch);
	},

	async 'a slice has no holes and ends at or before the last offset'(context) {
		const node = await startHistoryNode(context, 't');
		for (let i = 1; i <= 20; i++)
			await node.history.append(
				't',
				Array.from({ length: i }, () => 'x'),
				ROOMY,
			);
		await node.received.untilEntries('t', 210);
		for (const { slice } of node.received.slices) {
			const first = slice.entries[0];
			ok(first !== undefined, 'a delivered slice must have at least one entry');
			assertChain(slice.entries, first.prev);
			ok(slice.last >= slice.entries.at(-1)!.offset);
		}
		equal(node.received.slices.at(-1)?.slice.last, node.received.entries('t').at(-1)?.offset);
	},

	async 'a message reaches the subscribed nodes, including the appending one, and no others'(context) {
		const [a, b] = await startHistoryNodes(context, 2, 't', 'end');
		const [never, gone] = [await startHistoryNode(context, 'end'), await startHistoryNode(context, 't', 'end')];
		await gone.bus.unsubscribe(['t']);
		await a!.history.append('t', ['x'], ROOMY);
		await a!.history.append('end', ['x'], ROOMY);
		await assertAllReceived([a!, b!], 't', 1);
		for (const { received } of [never, gone]) {
			await received.untilEntries('end', 1);
			deepEqual(received.entries('t'), []);
		}
	},

	async 'a message without subscribers is stored, also for nodes that start later'(context) {
		const a = await startHistoryNode(context);
		await a.history.append('t', ['x'], ROOMY);
		await a.bus.stop();
		deepEqual(contents((await readAll(await startHistoryNode(context))).entries), ['x']);
	},

	async 'a node that receives a message can read it'(context) {
		const [a, b] = await startHistoryNodes(context, 2, 't');
		for (let i = 0; i < 50; i++) {
			const appended = a!.history.append('t', [`${i}`], ROOMY);
			const [read] = await Promise.all([
				b!.received.untilEntries('t', i + 1).then(() => b!.history.read('t', { limit: 1 }, ROOMY)),
				appended,
			]);
			deepEqual(contents(read.entries), [`${i}`]);
		}
	},

	async 'concurrent appends get one order, the same for all nodes: two nodes'(context) {
		const nodes = await startHistoryNodes(context, 2, 't');
		await Promise.all(
			nodes.flatMap(({ history }, n) =>
				Array.from({ length: 500 }, (_, i) => history.append('t', [`${n}/${i}`], ROOMY)),
			),
		);
		await assertAllReceived(nodes, 't', 1_000);
		equal(new Set(contents((await readAll(nodes[0]!)).entries)).size, 1_000);
	},

	async 'concurrent appends get one order, the same for all nodes: eight nodes, two topics'(context) {
		const nodes = await startHistoryNodes(context, 8, 't', 'u');
		await Promise.all(
			nodes.map(async ({ history }, n) => {
				for (let i = 0; i < 200; i++) {
					await Promise.all(['t', 'u'].map((topic) => history.append(topic, [`${n}/${i}`], ROOMY)));
				}
			}),
		);
		for (const topic of ['t', 'u']) {
			await assertAllReceived(nodes, topic, 1_600);
			const stored = contents((await readAll(nodes[0]!, topic)).entries);
			for (const n of nodes.keys()) {
				const own = Array.from({ length: 200 }, (_, i) => `${n}/${i}`);
				const inOrder = stored.filter((content) => String(content).startsWith(`${n}/`));
				deepEqual(inOrder, own, 'an append that was awaited must come before later ones');
			}
		}
	},

	async 'frames and stored messages of a topic are kept apart'(context) {
		const [a, b] = await startHistoryNodes(context, 2, 't');
		await a!.bus.publish('t', new TextEncoder().encode('frame'));
		await a!.history.append('t', ['message', bytes(1)], ROOMY);
		await a!.bus.publish('t', bytes());
		await b!.received.untilFrames('t', 2);
		await assertAllReceived([b!], 't', 2);
		deepEqual(b!.received.texts('t'), ['frame', '']);
		deepEqual(contents(b!.received.entries('t')), ['message', bytes(1)]);
	},

	async 'bytes are copied: later changes by the appender or a receiver have no effect elsewhere'(context) {
		const [a, b, c] = await startHistoryNodes(context, 3, 't');
		const given = bytes(1, 2, 3);
		await a!.history.append('t', [given], ROOMY);
		given.fill(0);
		const spoil = (of: unknown): void => void (of as Uint8Array).fill(0);
		await b!.received.untilEntries('t', 1);
		spoil(b!.received.entries('t')[0]?.content);
		await c!.received.untilEntries('t', 1);
		deepEqual(contents(c!.received.entries('t')), [bytes(1, 2, 3)]);
		spoil((await readAll(a!)).entries[0]?.content);
		deepEqual(contents((await readAll(a!)).entries), [bytes(1, 2, 3)]);
		spoil(c!.received.entries('t')[0]?.content);
		deepEqual(contents((await readAll(a!)).entries), [bytes(1, 2, 3)]);
	},

	async 'append and read reject before start and after stop, and nothing is stored'(context) {
		const witness = await startHistoryNode(context);
		const bus = await context.createBus();
		const history = historyOf(bus);
		const expectRejections = async (): Promise<void> => {
			await rejects(history.append('t', ['x'], ROOMY), Error, 'append() must reject while the bus is not started');
			await rejects(history.append('t', ['x'], ROOMY, 'key'), Error, 'append() with a key must reject as well');
			await rejects(history.read('t', { limit: 1 }, ROOMY), Error, 'read() must reject while the bus is not started');
		};
		await expectRejections();
		await bus.start(new BusRecorder());
		await bus.stop();
		await expectRejections();
		equal((await readAll(witness)).last, 0);
	},

	async 'a stopped node receives no messages; once started again it does'(context) {
		const [a, b] = await startHistoryNodes(context, 2, 't');
		await b!.bus.stop();
		await a!.history.append('t', ['missed'], ROOMY);
		const again = new BusRecorder();
		await b!.bus.start(again);
		await b!.history.prepare();
		await b!.bus.subscribe(['t']);
		await a!.history.append('t', ['received'], ROOMY);
		await again.untilEntries('t', 1);
		deepEqual(contents(again.entries('t')), ['received']);
		deepEqual(b!.received.entries('t'), []);
		deepEqual(contents((await readAll(b!)).entries), ['missed', 'received']);
	},

	async 'no background error is reported in normal operation'(context) {
		const { history, received, bus } = await startHistoryNode(context, 't');
		await history.append('t', ['x'], ROOMY);
		await history.append('t', ['y'], ROOMY, 'key');
		await history.read('t', { limit: 1 }, ROOMY);
		await received.untilEntries('t', 2);
		await bus.stop();
		ok(received.errors.length === 0, received.errors.map(String).join());
	},
};
