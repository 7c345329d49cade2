import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import type { ConformanceCase } from './conformance.ts';
import { FrameRecorder } from './frame-recorder.ts';
import { type BusBackend, onStage, type Promises } from './stage.ts';

/**
 * The suite that every `Bus` must pass. What a bus does while its backend is away, it can't bring about: test that yourself.
 *
 * @param openBackend makes a fresh backend for each case
 */
export function busConformance(openBackend: () => BusBackend | Promise<BusBackend>): readonly ConformanceCase[] {
	return onStage(openBackend, PROMISES);
}

const PROMISES: Promises = {
	async 'start reports that it is ready'(stage) {
		const { seen } = await stage.node();
		deepEqual(seen.statuses.at(-1), { state: 'ready' });
	},

	async 'frames arrive byte for byte, at every subscribed node, the publishing one included'(stage) {
		const [a, b] = [await stage.node(), await stage.node()];
		const small = Uint8Array.from({ length: 256 }, (_, i) => i);
		const large = new Uint8Array(1024 * 1024).map((_, i) => (i * 31) % 251);
		await Promise.all([a, b].map(({ bus }) => bus.subscribe(['t'])));
		for (const frame of [small, large, small.subarray(10, 20)]) await a.bus.publish('t', frame);
		for (const { seen } of [a, b]) {
			await seen.until('t', 3);
			const frames = seen.arrivals.map(({ frame }) => [...frame]);
			deepEqual(frames, [[...small], [...large], [...small.subarray(10, 20)]]);
		}
	},

	async 'a frame belongs to whoever it was delivered to'(stage) {
		const [a, b, c] = [await stage.node(), await stage.node(), await stage.node()];
		await Promise.all([b, c].map(({ bus }) => bus.subscribe(['t'])));
		const frame = bytes('original');
		await a.bus.publish('t', frame);
		frame.fill(0);
		await b.seen.until('t', 1);
		b.seen.arrivals[0]?.frame.fill(0);
		await c.seen.until('t', 1);
		deepEqual(c.seen.texts('t'), ['original']);
	},

	async 'subscribe resolves when frames from other nodes will arrive'(stage) {
		const [a, b] = [await stage.node(), await stage.node()];
		for (let i = 0; i < 50; i++) {
			await b.bus.subscribe([`t${i}`]);
			await a.bus.publish(`t${i}`, bytes('first'));
			await b.seen.until(`t${i}`, 1);
		}
	},

	async 'only subscribed topics arrive'(stage) {
		const [a, b] = [await stage.node(), await stage.node()];
		await b.bus.subscribe(['wanted', 'end']);
		for (const topic of ['unwanted', 'wante', 'wanted2', 'WANTED', '*', 'w?nted', 'wanted']) {
			await a.bus.publish(topic, bytes(topic));
		}
		await a.bus.publish('end', bytes('end'));
		await b.seen.until('end', 1);
		deepEqual(
			b.seen.arrivals.map(({ topic }) => topic),
			['wanted', 'end'],
		);
	},

	async 'nothing arrives once unsubscribe has resolved'(stage) {
		const [a, b] = [await stage.node(), await stage.node()];
		await b.bus.subscribe(['t', 'u', 'end']);
		await a.bus.publish('t', bytes('1'));
		await b.seen.until('t', 1);
		await b.bus.unsubscribe(['t', 'u']);
		for (const topic of ['t', 'u', 'end']) await a.bus.publish(topic, bytes('2'));
		await b.seen.until('end', 1);
		deepEqual([b.seen.texts('t'), b.seen.texts('u')], [['1'], []]);
	},

	async 'unsubscribing what was never subscribed is no error'(stage) {
		const { bus } = await stage.node();
		await bus.unsubscribe(['never']);
	},

	async 'subscribe and unsubscribe take effect in the order of the calls'(stage) {
		const [a, b] = [await stage.node(), await stage.node()];
		const calls: Promise<void>[] = [];
		for (let i = 0; i < 50; i++) {
			calls.push(b.bus.subscribe(['in', 'out']), b.bus.unsubscribe(['in', 'out']));
		}
		calls.push(b.bus.subscribe(['in', 'end']));
		await Promise.all(calls);
		for (const topic of ['in', 'out', 'end']) await a.bus.publish(topic, bytes(topic));
		await b.seen.until('end', 1);
		deepEqual([b.seen.texts('in'), b.seen.texts('out')], [['in'], []]);
	},

	async 'frames of one topic keep the order they were published in, awaited or not'(stage) {
		const [a, b] = [await stage.node(), await stage.node()];
		await b.bus.subscribe(['t']);
		const sent = Array.from({ length: 1_000 }, (_, i) => String(i));
		await Promise.all(sent.map((text) => a.bus.publish('t', bytes(text))));
		await b.seen.until('t', sent.length);
		deepEqual(b.seen.texts('t'), sent);
	},

	async 'publish says how many nodes a frame went to, or undefined'(stage) {
		const [a, b] = [await stage.node(), await stage.node()];
		const counts = [await a.bus.publish('t', bytes('x'))];
		await b.bus.subscribe(['t']);
		counts.push(await a.bus.publish('t', bytes('x')));
		await a.bus.subscribe(['t']);
		counts.push(await a.bus.publish('t', bytes('x')));
		if (counts.some((count) => count !== undefined)) deepEqual(counts, [0, 1, 2]);
	},

	async 'ten thousand topics in one call'(stage) {
		const [a, b] = [await stage.node(), await stage.node()];
		const topics = Array.from({ length: 10_000 }, (_, i) => `t${i}`);
		await b.bus.subscribe(topics);
		await Promise.all(topics.map((topic) => a.bus.publish(topic, bytes(topic))));
		await b.seen.untilTotal(topics.length);
		await b.bus.unsubscribe(topics);
		equal(new Set(b.seen.arrivals.map(({ topic }) => topic)).size, 10_000);
	},

	async 'every name a provider may use'(stage) {
		const [a, b] = [await stage.node(), await stage.node()];
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
			await b.seen.until(name, 1);
			deepEqual(b.seen.texts(name), [name]);
		}
	},

	async 'before start and after stop, subscribe and publish reject'(stage) {
		const bus = stage.createBus();
		await rejects(bus.publish('t', bytes('x')), Error, 'publish() must reject while the bus is not started');
		await rejects(bus.subscribe(['t']), Error, 'subscribe() must reject while the bus is not started');
		await bus.start(new FrameRecorder());
		await bus.stop();
		await rejects(bus.publish('t', bytes('x')), Error, 'publish() must reject while the bus is not started');
		await rejects(bus.subscribe(['t']), Error, 'subscribe() must reject while the bus is not started');
	},

	async 'stop is idempotent, also before start, and silences the bus'(stage) {
		const [a, b] = [await stage.node(), await stage.node()];
		await stage.createBus().stop();
		await a.bus.subscribe(['t', 'end']);
		await b.bus.subscribe(['t']);
		await Promise.all([b.bus.stop(), b.bus.stop()]);
		await b.bus.stop();
		const before = b.seen.statuses.length;
		await a.bus.publish('t', bytes('late'));
		await a.bus.publish('end', bytes('end'));
		await a.seen.until('end', 1);
		deepEqual([b.seen.texts('t'), b.seen.statuses.length], [[], before]);
	},

	async 'stop ends a start on its way'(stage) {
		const bus = stage.createBus();
		const starting = bus.start(new FrameRecorder());
		await Promise.all([bus.stop(), rejects(starting, Error, 'start() must reject when stop() is called meanwhile')]);
		await rejects(bus.publish('t', bytes('x')), Error, 'publish() must reject while the bus is not started');
	},

	async 'a stopped bus can be started again, with nothing subscribed'(stage) {
		const [a, b] = [await stage.node(), await stage.node()];
		await b.bus.subscribe(['old']);
		await b.bus.stop();
		const again = new FrameRecorder();
		await b.bus.start(again);
		await b.bus.subscribe(['new']);
		await a.bus.publish('old', bytes('x'));
		await a.bus.publish('new', bytes('x'));
		await again.until('new', 1);
		deepEqual([again.texts('old'), again.texts('new')], [[], ['x']]);
	},

	async 'all of this happens without a background error'(stage) {
		const { bus, seen } = await stage.node();
		await bus.subscribe(['t']);
		await bus.publish('t', bytes('x'));
		await seen.until('t', 1);
		await bus.unsubscribe(['t']);
		await bus.stop();
		ok(seen.errors.length === 0, seen.errors.map(String).join());
	},
};

function bytes(text: string): Uint8Array {
	return new TextEncoder().encode(text);
}
