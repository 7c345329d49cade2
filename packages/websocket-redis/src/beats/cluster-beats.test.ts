import { type RedisCluster, startRedisCluster, until } from '@orijs/testkit';
import type { Gap } from '@orijs/websocket';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ClusterBus } from '../cluster/cluster-bus.ts';
import { slotOf } from '../cluster/slot.ts';
import { type BeatBus, startBeatBus } from '../test-support/beat-bus.ts';
import { startNode } from '../test-support/test-nodes.ts';

describe('beats collected by a Redis Cluster', () => {
	let cluster: RedisCluster;
	beforeAll(async () => {
		cluster = await startRedisCluster({ replicas: 0 });
	});
	afterAll(() => cluster.stop());

	const start = (keyPrefix: string): Promise<BeatBus> => {
		const nodes = cluster.nodes.map(({ host, port }) => ({ host, port }));
		return startBeatBus(new ClusterBus({ nodes, options: {}, keyPrefix, connectTimeout: 10_000 }));
	};
	const channelsOf = ({ bus }: BeatBus): readonly string[] => bus.liveness?.heartbeatChannels() ?? [];

	it('have keys and own channels in the slot of their heartbeat channel', async () => {
		const a = await start('slots');
		for (const channel of channelsOf(a)) {
			const slot = await cluster.slotOf(`slots:${channel}`);
			const own = `slots:${a.beats().ownChannel(channel, a.origin)}`;
			expect([await cluster.slotOf(own), slotOf(own)]).toEqual([slot, slot]);
			expect(a.bus.liveness?.shardOf(own.slice('slots:'.length))).toBe(a.bus.liveness?.shardOf(channel));
		}
		expect(channelsOf(a)).toHaveLength(3);
	});

	it('reach the node itself, and others hear of them in digests, on each shard', async () => {
		const [a, b] = [await start('shards'), await start('shards')];
		a.beats().describe('this is a');
		for (const heartbeatChannel of channelsOf(a)) {
			const before = b.digests.length;
			await a.beat(1, { heartbeatChannel });
			await a.beat(2, { heartbeatChannel, digestEveryMs: 0 });
			expect(await b.untilTold(a.origin, before + 1)).toMatchObject({ number: 2, run: 2 });
		}
		await until(() => a.frames.length === 6, { what: 'its own beats arrive' });
		expect(new Set(a.frames.map(({ channel }) => channel))).toEqual(
			new Set(channelsOf(a).map((channel) => a.beats().ownChannel(channel, a.origin))),
		);
		expect(b.frames).toEqual([]);
		expect(await b.beats().list()).toMatchObject([{ origin: a.origin, text: 'this is a' }]);
		expect([...a.errors, ...b.errors]).toEqual([]);
	});

	it('tell whether the topology has changed: while it has not, no node asks for it', async () => {
		const nodes = cluster.nodes.map(({ host, port }) => ({ host, port }));
		for (let i = 0; i < 3; i++) await startNode({ connection: { cluster: nodes }, keyPrefix: 'topology' });
		const asked = async (): Promise<number> => {
			const stats = await Promise.all(cluster.nodes.map((node) => node.info('commandstats')));
			return stats.reduce(
				(sum, each) => sum + Number(/calls=(\d+)/.exec(each['cmdstat_cluster|slots'] ?? '')?.[1] ?? 0),
				0,
			);
		};
		const evaluated = async (): Promise<number> => {
			const stats = await cluster.nodes[0]?.info('commandstats');
			return Number(/calls=(\d+)/.exec(stats?.['cmdstat_evalsha'] ?? '')?.[1] ?? 0);
		};
		const start = await evaluated();
		await until(async () => (await evaluated()) > start + 9, { what: 'the nodes beat' });
		const before = await asked();
		const from = await evaluated();
		await until(async () => (await evaluated()) >= from + 24, { what: 'four seconds pass', timeoutMs: 10_000 });
		// The scripts look four times a second on each of three primaries; polls of the nodes would be 24 more.
		expect((await asked()) - before).toBeLessThan(3 * 4 * 4 + 12);
	});

	it('show within a second that the slot of a topic has moved', async () => {
		const nodes = cluster.nodes.map(({ host, port }) => ({ host, port }));
		const { node, provider } = await startNode({ connection: { cluster: nodes }, keyPrefix: 'topic' });
		const { client } = await node.connect(['t']);
		const gaps: Gap[] = [];
		provider.onGap((gap) => void gaps.push(gap));
		const slot = await cluster.slotOf('topic:t');
		const from = await cluster.primaryOf(slot);
		const to = (await cluster.primaries()).find(({ id }) => id !== from.id) ?? from;
		const movedAt = Date.now();
		await cluster.moveSlot(slot, from, to);
		const isSubscribed = async (): Promise<boolean> =>
			((await to.command('PUBSUB', 'SHARDNUMSUB', 'topic:t')) as unknown[])[1] === 1;
		await until(isSubscribed, { what: 'the topic is subscribed on the other primary', timeoutMs: 2_500 });
		await until(() => gaps.some(({ topic, since }) => topic === 't' && since <= movedAt), {
			what: 'a gap from before the move is reported',
		});
		await client.close();
	});

	it('go on while their slot moves, and afterwards on the other primary', async () => {
		const a = await start('moving');
		const [heartbeatChannel] = channelsOf(a) as [string];
		let number = 1;
		const outcomes: string[] = [];
		const send = async (): Promise<void> => {
			const name = channelsOf(a).includes(heartbeatChannel) ? heartbeatChannel : (channelsOf(a)[0] as string);
			const { beats } = a.bus.liveness ?? {};
			if (beats === undefined) return void outcomes.push('not collected');
			const beat = a.make(number, { heartbeatChannel: name });
			await beats.beat(name, beat).then(
				() => outcomes.push(`accepted ${number++}`),
				(error: Error) => outcomes.push(error.message),
			);
		};
		const timer = setInterval(() => void send(), 50);
		onTestFinished(() => clearInterval(timer));
		await until(() => number > 5, { what: 'beats are accepted' });

		const from = await cluster.primaryOf(`moving:${heartbeatChannel}`);
		const to = (await cluster.primaries()).find(({ id }) => id !== from.id) ?? from;
		await cluster.moveSlot(await cluster.slotOf(`moving:${heartbeatChannel}`), from, to);
		const moved = number;
		await until(() => number > moved + 5 && a.bus.liveness?.beats !== undefined, {
			what: () => `beats are accepted again: ${outcomes.slice(-10).join('; ')}`,
			timeoutMs: 15_000,
		});
		for (const outcome of outcomes) expect(outcome).toMatch(/^accepted|^not collected|^MOVED|^no primary|^CLUSTERDOWN/);
	});

	it('follow a replica that takes over', async () => {
		const own = await startRedisCluster({ primaries: 3, replicas: 1 });
		onTestFinished(() => own.stop());
		const nodes = own.nodes.map(({ host, port }) => ({ host, port }));
		const a = await startBeatBus(new ClusterBus({ nodes, options: {}, keyPrefix: 'orijs', connectTimeout: 10_000 }));
		const [heartbeatChannel] = channelsOf(a) as [string];
		const primary = await own.primaryOf(`orijs:${heartbeatChannel}`);
		await a.beat(1, { heartbeatChannel });
		const [replica] = await own.replicasOf(primary);
		await primary.kill();
		await own.failover(replica as typeof primary, 'force');
		let number = 2;
		let isAnswered = true;
		const send = async (): Promise<void> => {
			if (!isAnswered) return;
			isAnswered = false;
			try {
				await a.beat(number, { heartbeatChannel, digestEveryMs: 0 });
				number++;
			} catch {
				// The new primary is not known yet.
			} finally {
				isAnswered = true;
			}
		};
		const timer = setInterval(() => void send(), 100);
		onTestFinished(() => clearInterval(timer));
		// It knows nothing of the beats that the earlier one has taken.
		await until(() => a.digests.length > 1, { what: 'the new primary publishes digests', timeoutMs: 20_000 });
		const [entry] = a.digests[1]?.entries ?? [];
		expect(entry?.run).toBe((entry?.number ?? 0) - 1);
	});
});
