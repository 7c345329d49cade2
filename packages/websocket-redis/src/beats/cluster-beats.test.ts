import { type RedisCluster, startRedisCluster, until } from '@orijs/testkit';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ClusterBus } from '../cluster/cluster-bus.ts';
import { slotOf } from '../cluster/slot.ts';
import { type BeatBus, startBeatBus } from '../test-support/beat-bus.ts';

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
		await until(
			() =>
				a.beat(2, { heartbeatChannel }).then(
					() => true,
					() => false,
				),
			{ what: 'the new primary takes beats', timeoutMs: 20_000 },
		);
		// It knows nothing of the beats that the earlier one has taken.
		expect(await a.untilTold(a.origin, 1)).toMatchObject({ number: 2, run: 1 });
	});
});
