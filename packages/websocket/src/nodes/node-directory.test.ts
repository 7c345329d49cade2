import { RecordingLogger, until } from '@orijs/testkit';
import { hostname } from 'node:os';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Bus, BusLiveness } from '../bus.ts';
import { MemoryBackend } from '../testing/index.ts';
import { openNode, type TestNode } from '../test-support/test-node.ts';
import { VERSION } from '../version.ts';
import { NodeDirectory, type NodesChange } from './node-directory.ts';
import type { NodeDescription } from './node-description.ts';

const COUNTS = { connections: 3, topics: 2 };

function describedAs(id: string, generation = 1): NodeDescription {
	return { id, host: `host of ${id}`, version: '1.2.3', startedAt: 10 * generation, generation, cluster: 1 };
}

describe('the directory of nodes', () => {
	let log: RecordingLogger;
	let directory: NodeDirectory;
	let changes: NodesChange[];
	/** What has changed, in short. */
	const told = () =>
		changes.map(({ joined, left }) => [joined.map(({ id }) => id), left.map(({ id, why }) => `${id} ${why}`)]);
	const ids = () => directory.list().map(({ id }) => id);
	const silent = () => directory.silent().map(({ id }) => id);
	const check = (isAlive: Record<number, boolean> = {}) =>
		directory.check(performance.now(), (origin) => isAlive[origin]);

	beforeEach(() => {
		vi.useFakeTimers({ now: 1_000_000 });
		log = new RecordingLogger();
		directory = new NodeDirectory('self', log, () => ({ connections: 7, topics: 4 }));
		changes = [];
		directory.onChange((change) => changes.push(change));
	});
	afterEach(() => vi.useRealTimers());

	it('holds this node from the beginning', () => {
		directory.start();
		expect(directory.list()).toEqual([
			{
				id: 'self',
				host: hostname(),
				version: VERSION,
				startedAt: 1_000_000,
				connections: 7,
				topics: 4,
				ageMs: 0,
				isSelf: true,
			},
		]);
		expect(silent()).toEqual([]);
	});

	it('holds a node once it is known who it is, whether it says so before its first beat or after', () => {
		directory.described(1, describedAs('a'));
		directory.alive(1, COUNTS, performance.now());
		expect(directory.alive(2, COUNTS, performance.now())).toBe(false);
		expect([ids(), directory.hasUnknown]).toEqual([['self', 'a'], true]);
		directory.described(2, describedAs('b', 2));
		vi.advanceTimersByTime(300);

		expect(directory.hasUnknown).toBe(false);
		expect(directory.list().slice(1)).toEqual([
			{ id: 'a', host: 'host of a', version: '1.2.3', startedAt: 10, ...COUNTS, ageMs: 300, isSelf: false },
			{ id: 'b', host: 'host of b', version: '1.2.3', startedAt: 20, ...COUNTS, ageMs: 300, isSelf: false },
		]);
		expect(told()).toEqual([
			[['a'], []],
			[['b'], []],
		]);
	});

	it('does not take in a node that has stopped before it was known who it is, until it starts again', () => {
		directory.stopped(1);
		directory.listed([[1, describedAs('a'), 20]]);
		directory.alive(1, COUNTS, performance.now());
		expect([ids(), directory.hasUnknown, told()]).toEqual([['self'], false, []]);
		vi.advanceTimersByTime(15_000);
		check();
		expect(directory.silent()).toEqual([]);

		directory.described(1, describedAs('a', 2));
		expect(ids()).toEqual(['self', 'a']);
	});

	it('takes in a node that starts again before it was known who it was', () => {
		directory.stopped(1);
		directory.described(1, describedAs('a'));
		expect(ids()).toEqual(['self', 'a']);
	});

	it('drops a node that stops, and takes it back when it starts again', () => {
		directory.described(1, describedAs('a'));
		directory.stopped(1);
		// A beat on another shard that is late.
		directory.alive(1, COUNTS, performance.now());
		expect([ids(), silent()]).toEqual([['self'], []]);
		directory.described(1, describedAs('a', 2));
		expect(ids()).toEqual(['self', 'a']);
		expect(told()).toEqual([
			[['a'], []],
			[[], ['a stopped']],
			[['a'], []],
		]);
	});

	it('finds a node that was started again though what it said is missed', () => {
		directory.described(1, describedAs('a'));
		directory.stopped(1);
		for (let second = 0; second < 32; second++) {
			vi.advanceTimersByTime(1_000);
			directory.alive(1, COUNTS, performance.now());
			check({ 1: true });
		}
		expect([ids(), directory.hasUnknown]).toEqual([['self'], true]);
		directory.listed([[1, describedAs('a', 2), 100]]);
		expect(ids()).toEqual(['self', 'a']);
	});

	it('names a node that falls silent for ten minutes, and takes it back with its next beat', () => {
		directory.described(1, describedAs('a'));
		check({ 1: true });
		check({ 1: false });
		expect([ids(), silent()]).toEqual([['self'], ['a']]);
		directory.alive(1, COUNTS, performance.now());
		expect([ids(), silent()]).toEqual([['self', 'a'], []]);
		check({ 1: false });
		vi.advanceTimersByTime(599_000);
		check({ 1: false });
		expect(silent()).toEqual(['a']);
		vi.advanceTimersByTime(2_000);
		check({ 1: false });
		expect(silent()).toEqual([]);
		expect(told()).toEqual([
			[['a'], []],
			[[], ['a silent']],
			[['a'], []],
			[[], ['a silent']],
		]);
	});

	it('holds a node that the backend has listed until its lease would have ended, though no beat arrives', () => {
		directory.listed([[1, describedAs('a'), 1_000]]);
		directory.listed([[2, describedAs('b'), 5_000]]);
		expect([ids(), silent()]).toEqual([['self', 'a'], ['b']]);
		vi.advanceTimersByTime(8_900);
		check();
		expect(ids()).toEqual(['self', 'a']);
		vi.advanceTimersByTime(200);
		check();
		expect([ids(), silent()]).toEqual([['self'], ['a', 'b']]);
	});

	it('is not misled by an old description, nor by the age in a digest of an old beat', () => {
		directory.described(1, describedAs('a', 2));
		directory.alive(1, COUNTS, performance.now());
		directory.described(1, describedAs('a', 1));
		directory.alive(1, { connections: 0, topics: 0 }, performance.now() - 100);
		expect(directory.list()[1]).toMatchObject({ startedAt: 20, connections: 3 });
		directory.alive(2, COUNTS, performance.now() - 60_000);
		directory.listed([[2, describedAs('b'), 60_000]]);
		expect([ids(), silent()]).toEqual([['self', 'a'], ['b']]);
	});

	it('logs the error of a listener and calls the others', () => {
		directory.onChange(() => {
			throw new Error('listener');
		});
		const off = directory.onChange((change) => changes.push(change));
		directory.described(1, describedAs('a'));
		off();
		directory.stopped(1);
		expect(changes).toHaveLength(3);
		expect(log.problems[0]?.details).toMatchObject({ stage: 'onNodesChange' });
	});
});

describe.each([
	['collected beats', { beats: true, collectBeatsAbove: 1 }],
	['beats that are not collected', { beats: true, collectBeatsAbove: 32 }],
	['a backend that collects no beats', { beats: false, collectBeatsAbove: 1 }],
])('nodes with %s', (_, { beats, collectBeatsAbove }) => {
	const open = (backend: MemoryBackend) => {
		const bus = backend.createBus();
		return openNode({ bus, collectBeatsAbove, heartbeatMs: 100 }).then((node) => ({ node, bus }));
	};
	const idsOf = ({ provider }: TestNode): string[] => provider.cluster.nodes().map(({ id }) => id);

	it('know each other, and who has stopped', async () => {
		const backend = new MemoryBackend({ liveness: true, beats });
		const { node: a } = await open(backend);
		await a.connect({ topics: new Set(['t', 'u']) });
		const [{ node: b }, { node: c }] = [await open(backend), await open(backend)];
		const nodes = [a, b, c];
		const all = nodes.map(({ provider }) => provider.nodeId).toSorted();
		for (const each of nodes)
			await until(() => idsOf(each).length === 3, { what: `node ${nodes.indexOf(each)} knows all others` });
		for (const each of nodes) expect(idsOf(each).toSorted()).toEqual(all);
		expect(idsOf(a)[0]).toBe(a.provider.nodeId);
		const ofA = () => b.provider.cluster.nodes().find(({ id }) => id === a.provider.nodeId);
		await until(() => ofA()?.connections === 1, { what: 'the counts of a are known', timeoutMs: 7_000 });
		expect(ofA()).toMatchObject({ topics: 2, host: hostname(), version: VERSION, isSelf: false });

		await c.close();
		for (const each of [a, b]) await until(() => idsOf(each).length === 2, { what: 'c is gone' });
		expect(a.log.problems).toEqual([]);
	}, 20_000);

	it('find one that falls silent within five seconds, and know it again when it is back', async () => {
		const backend = new MemoryBackend({ liveness: true, beats });
		const [{ node: a }, { node: b, bus }, { node: c }] = [
			await open(backend),
			await open(backend),
			await open(backend),
		];
		await until(() => idsOf(a).length === 3 && idsOf(b).length === 3, { what: 'all know each other' });
		await b.connect();
		const ofB = () => a.provider.cluster.nodes().find(({ id }) => id === b.provider.nodeId);
		await until(() => ofB()?.connections === 1, { what: 'the counts of b are known', timeoutMs: 7_000 });
		const left: unknown[] = [];
		a.provider.cluster.onNodesChange((change) => left.push(...change.left));
		backend.cut(bus);
		await until(() => idsOf(a).length === 2, { what: 'b is missed', timeoutMs: 5_000 });
		const last = { id: b.provider.nodeId, host: hostname(), connections: 1, isSelf: false };
		expect(left).toMatchObject([{ ...last, why: 'silent' }]);
		expect(a.provider.cluster.silentNodes()).toMatchObject([last]);
		// It can't tell whether the others are there.
		expect(idsOf(b)).toHaveLength(3);
		backend.restore(bus);
		for (const each of [a, c])
			await until(() => idsOf(each).length === 3, { what: 'b is known again', timeoutMs: 7_000 });
		expect(a.provider.cluster.silentNodes()).toEqual([]);
	}, 20_000);
});

it('a node that the backend does not list is asked by those who start later', async () => {
	const backend = new MemoryBackend({ liveness: true });
	const bus = backend.createBus();
	const unlisted: Bus = { ...bus, liveness: { ...(bus.liveness as BusLiveness), beats: undefined } };
	const options = { collectBeatsAbove: 1, heartbeatMs: 100 };
	const first = await openNode({ ...options, bus: unlisted });
	const others = [
		await openNode({ ...options, bus: backend.createBus() }),
		await openNode({ ...options, bus: backend.createBus() }),
	];
	for (const { provider } of [first, ...others])
		await until(() => provider.cluster.nodes().length === 3, { what: 'all know each other', timeoutMs: 7_000 });
}, 20_000);

it('a node that is started again is known again, with a later start', async () => {
	const backend = new MemoryBackend({ liveness: true });
	const [a, b] = [await openNode({ bus: backend.createBus() }), await openNode({ bus: backend.createBus() })];
	const ofB = () => a.provider.cluster.nodes().find(({ id }) => id === b.provider.nodeId);
	await until(() => ofB() !== undefined, { what: 'b is known' });
	const before = ofB()?.startedAt ?? 0;
	await b.provider.stop();
	expect(ofB()).toBeUndefined();
	await Bun.sleep(2);
	await b.provider.start();
	await until(() => ofB() !== undefined, { what: 'b is known again' });
	expect(ofB()?.startedAt).toBeGreaterThan(before);
	await until(() => b.provider.cluster.nodes().length === 2, { what: 'b knows a again' });
});

it('a node on a bus without liveness, or without a bus, knows itself', async () => {
	for (const { provider } of [await openNode({ bus: new MemoryBackend().createBus() }), await openNode()])
		expect(provider.cluster.nodes().map(({ id, isSelf }) => [id, isSelf])).toEqual([[provider.nodeId, true]]);
});
