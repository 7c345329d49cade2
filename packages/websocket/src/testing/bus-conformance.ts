import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { BEATS } from './bus-beats.ts';
import { LOSSES } from './bus-losses.ts';
import { OUTAGES } from './bus-outages.ts';
import { BusRecorder } from './bus-recorder.ts';
import type { BusBackend } from './case-context.ts';
import { type ConformanceCase, conformanceCases, type Requirements } from './conformance.ts';

/**
 * Returns the suite that every `Bus` must pass. The cases about outages are skipped unless the backend can `cut`,
 * `restore` and `freeze`; those about collected beats, unless the bus has a `BeatStore`.
 *
 * @param openBackend creates a fresh backend for each case
 */
export function busConformance(openBackend: () => BusBackend | Promise<BusBackend>): readonly ConformanceCase[] {
	return conformanceCases(openBackend, { ...REQUIREMENTS, ...OUTAGES, ...LOSSES, ...BEATS });
}

const REQUIREMENTS: Requirements = {
	async 'reports ready once it has started'(context) {
		const { received } = await context.startNode();
		deepEqual(received.statuses.at(-1), { state: 'ready' });
	},

	async 'delivers frames byte for byte to every subscribed node, including the publisher'(context) {
		const [a, b] = [await context.startNode(), await context.startNode()];
		const small = Uint8Array.from({ length: 256 }, (_, i) => i);
		const large = new Uint8Array(1024 * 1024).map((_, i) => (i * 31) % 251);
		await Promise.all([a, b].map(({ bus }) => bus.subscribe(['t'])));
		for (const frame of [small, large, small.subarray(10, 20)]) await a.bus.publish('t', frame);
		for (const { received } of [a, b]) {
			await received.untilFrames('t', 3);
			const frames = received.frames.map(({ frame }) => [...frame]);
			deepEqual(frames, [[...small], [...large], [...small.subarray(10, 20)]]);
		}
	},

	async 'copies frames: changes by the publisher or one receiver do not reach another receiver'(context) {
		const [a, b, c] = [await context.startNode(), await context.startNode(), await context.startNode()];
		await Promise.all([b, c].map(({ bus }) => bus.subscribe(['t'])));
		const frame = bytes('original');
		await a.bus.publish('t', frame);
		frame.fill(0);
		await b.received.untilFrames('t', 1);
		b.received.frames[0]?.frame.fill(0);
		await c.received.untilFrames('t', 1);
		deepEqual(c.received.texts('t'), ['original']);
	},

	async 'resolves subscribe once frames from other nodes will arrive'(context) {
		const [a, b] = [await context.startNode(), await context.startNode()];
		for (let i = 0; i < 50; i++) {
			await b.bus.subscribe([`t${i}`]);
			await a.bus.publish(`t${i}`, bytes('first'));
			await b.received.untilFrames(`t${i}`, 1);
		}
	},

	async 'delivers only frames of subscribed channels'(context) {
		const [a, b] = [await context.startNode(), await context.startNode()];
		await b.bus.subscribe(['wanted', 'end']);
		for (const channel of ['unwanted', 'wante', 'wanted2', 'WANTED', '*', 'w?nted', 'wanted']) {
			await a.bus.publish(channel, bytes(channel));
		}
		await a.bus.publish('end', bytes('end'));
		await b.received.untilFrames('end', 1);
		deepEqual(
			b.received.frames.map(({ channel }) => channel),
			['wanted', 'end'],
		);
	},

	async 'delivers nothing once unsubscribe has resolved'(context) {
		const [a, b] = [await context.startNode(), await context.startNode()];
		await b.bus.subscribe(['t', 'u', 'end']);
		await a.bus.publish('t', bytes('1'));
		await b.received.untilFrames('t', 1);
		await b.bus.unsubscribe(['t', 'u']);
		for (const channel of ['t', 'u', 'end']) await a.bus.publish(channel, bytes('2'));
		await b.received.untilFrames('end', 1);
		deepEqual([b.received.texts('t'), b.received.texts('u')], [['1'], []]);
	},

	async 'allows unsubscribe from a channel that was never subscribed'(context) {
		const { bus } = await context.startNode();
		await bus.unsubscribe(['never']);
	},

	async 'applies subscribe and unsubscribe in the order of the calls'(context) {
		const [a, b] = [await context.startNode(), await context.startNode()];
		const calls: Promise<void>[] = [];
		for (let i = 0; i < 50; i++) {
			calls.push(b.bus.subscribe(['in', 'out']), b.bus.unsubscribe(['in', 'out']));
		}
		calls.push(b.bus.subscribe(['in', 'end']));
		await Promise.all(calls);
		for (const channel of ['in', 'out', 'end']) await a.bus.publish(channel, bytes(channel));
		for (const channel of ['in', 'end']) await b.received.untilFrames(channel, 1);
		deepEqual([b.received.texts('in'), b.received.texts('out')], [['in'], []]);
	},

	async 'keeps the order of the frames of a channel, whether publish is awaited or not'(context) {
		const [a, b] = [await context.startNode(), await context.startNode()];
		await b.bus.subscribe(['t']);
		const sent = Array.from({ length: 1_000 }, (_, i) => String(i));
		await Promise.all(sent.map((text) => a.bus.publish('t', bytes(text))));
		await b.received.untilFrames('t', sent.length);
		deepEqual(b.received.texts('t'), sent);
	},

	async 'resolves publish with the number of nodes that a frame went to, or undefined'(context) {
		const [a, b] = [await context.startNode(), await context.startNode()];
		const counts = [await a.bus.publish('t', bytes('x'))];
		await b.bus.subscribe(['t']);
		counts.push(await a.bus.publish('t', bytes('x')));
		await a.bus.subscribe(['t']);
		counts.push(await a.bus.publish('t', bytes('x')));
		if (counts.some((count) => count !== undefined)) deepEqual(counts, [0, 1, 2]);
	},

	async 'subscribes to ten thousand channels in one call'(context) {
		const [a, b] = [await context.startNode(), await context.startNode()];
		const channels = Array.from({ length: 10_000 }, (_, i) => `t${i}`);
		await b.bus.subscribe(channels);
		await Promise.all(channels.map((channel) => a.bus.publish(channel, bytes(channel))));
		await b.received.untilFrameCount(channels.length);
		await b.bus.unsubscribe(channels);
		equal(new Set(b.received.frames.map(({ channel }) => channel)).size, 10_000);
	},

	async 'accepts every channel name that a provider may use'(context) {
		const [a, b] = [await context.startNode(), await context.startNode()];
		const names = [
			'*',
			`@${crypto.randomUUID()}`,
			'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
			'abcdefghijklmnopqrstuvwxyz',
			'0123456789',
			'_:.-',
			':',
			't'.repeat(256),
		];
		await b.bus.subscribe(names);
		for (const name of names) await a.bus.publish(name, bytes(name));
		for (const name of names) {
			await b.received.untilFrames(name, 1);
			deepEqual(b.received.texts(name), [name]);
		}
	},

	async 'rejects subscribe and publish before start and after stop'(context) {
		const bus = await context.createBus();
		await rejects(bus.publish('t', bytes('x')), Error, 'publish() must reject while the bus is not started');
		await rejects(bus.subscribe(['t']), Error, 'subscribe() must reject while the bus is not started');
		await bus.start(new BusRecorder());
		await bus.stop();
		await rejects(bus.publish('t', bytes('x')), Error, 'publish() must reject while the bus is not started');
		await rejects(bus.subscribe(['t']), Error, 'subscribe() must reject while the bus is not started');
	},

	async 'allows stop more than once and before start, and calls no handler after it'(context) {
		const [a, b] = [await context.startNode(), await context.startNode()];
		await (await context.createBus()).stop();
		await a.bus.subscribe(['t', 'end']);
		await b.bus.subscribe(['t']);
		await Promise.all([b.bus.stop(), b.bus.stop()]);
		await b.bus.stop();
		const before = b.received.statuses.length;
		await a.bus.publish('t', bytes('late'));
		await a.bus.publish('end', bytes('end'));
		await a.received.untilFrames('end', 1);
		deepEqual([b.received.texts('t'), b.received.statuses.length], [[], before]);
	},

	async 'rejects a pending start when stop is called'(context) {
		const bus = await context.createBus();
		const starting = bus.start(new BusRecorder());
		await Promise.all([
			bus.stop(),
			rejects(starting, Error, 'start() must reject when stop() is called before it resolves'),
		]);
		await rejects(bus.publish('t', bytes('x')), Error, 'publish() must reject while the bus is not started');
	},

	async 'can be started again after stop, with nothing subscribed'(context) {
		const [a, b] = [await context.startNode(), await context.startNode()];
		await b.bus.subscribe(['old']);
		await b.bus.stop();
		const again = new BusRecorder();
		await b.bus.start(again);
		await b.bus.subscribe(['new']);
		await a.bus.publish('old', bytes('x'));
		await a.bus.publish('new', bytes('x'));
		await again.untilFrames('new', 1);
		deepEqual([again.texts('old'), again.texts('new')], [[], ['x']]);
	},

	async 'reports no background error in normal operation'(context) {
		const { bus, received } = await context.startNode();
		await bus.subscribe(['t']);
		await bus.publish('t', bytes('x'));
		await received.untilFrames('t', 1);
		await bus.unsubscribe(['t']);
		await bus.stop();
		ok(received.errors.length === 0, received.errors.map(String).join());
	},
};

function bytes(text: string): Uint8Array {
	return new TextEncoder().encode(text);
}
