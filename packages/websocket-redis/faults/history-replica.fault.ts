import { type RedisServer, startRedis, startTcpProxy, type TcpProxy, until } from '@orijs/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Follower } from './history/follower.ts';
import { HistoryNode } from './history/history-node.ts';

const TOPIC = 'kept:replica';

describe('a replica that lags is promoted', () => {
	let master: RedisServer;
	let replica: RedisServer;
	let proxy: TcpProxy;
	let node: HistoryNode;
	let follower: Follower;
	beforeAll(async () => {
		master = await startRedis();
		replica = await startRedis({ replicaOf: master });
		await replica.linkUp();
		await master.replicated();
		proxy = await startTcpProxy({ port: master.port });
		node = await HistoryNode.start(proxy.port);
		follower = new Follower(node.url, TOPIC);
		await follower.join();
	});
	afterAll(async () => {
		await follower.close();
		await node.stop();
		await proxy.stop();
		await Promise.all([master.stop(), replica.stop()]);
	});

	it('with what it lacks told by the next message at the latest, although the epoch is the same', async () => {
		const publish = (by: string): Promise<number> => node.ask<number>({ do: 'burst', topic: TOPIC, by, count: 5 });
		expect(await publish('before')).toBe(5);
		await until(() => follower.last === 'before:4', { what: 'those before have come' });
		await master.replicated();
		await replica.command('REPLICAOF', 'NO', 'ONE');
		expect(await publish('lost')).toBe(5);
		await until(() => follower.last === 'lost:4', { what: 'those that the replica lacks have come' });
		const heard = follower.told.length;
		proxy.retarget({ port: replica.port });
		proxy.cut();
		// What it accepts before the node listens again is a part of what is told.
		await until(async () => (await publish('after')) === 5 && follower.last.startsWith('after'), {
			what: 'a message of the replica has come',
			timeoutMs: 10_000,
		});
		const after = follower.told.slice(heard);
		const message = after.findIndex(({ kind }) => kind === 'message');
		expect(after.slice(0, message).some(({ kind }) => kind === 'gap')).toBe(true);
		const epochs = follower.told.flatMap((one) => (one.kind === 'message' ? [one.epoch] : []));
		expect(new Set(epochs).size).toBe(1);
	});
});
