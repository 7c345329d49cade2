import { type RedisServer, startRedis, startTcpProxy, type TcpProxy, until } from '@orijs/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RecordingClient } from './history/recording-client.ts';
import { NodeProcess } from './history/node-process.ts';

const TOPIC = 'kept:replica';

describe('the promotion of a replica that lags', () => {
	let primary: RedisServer;
	let replica: RedisServer;
	let proxy: TcpProxy;
	let node: NodeProcess;
	let client: RecordingClient;
	beforeAll(async () => {
		primary = await startRedis();
		replica = await startRedis({ replicaOf: primary });
		await replica.linkUp();
		await primary.replicated();
		proxy = await startTcpProxy({ port: primary.port });
		node = await NodeProcess.start(proxy.port);
		client = new RecordingClient(node.url, TOPIC);
		await client.subscribe();
	});
	afterAll(async () => {
		await client.close();
		await node.stop();
		await proxy.stop();
		await Promise.all([primary.stop(), replica.stop()]);
	});

	it('is reported as a loss with the next message at the latest, although the epoch is the same', async () => {
		const publish = (by: string): Promise<number> => node.ask<number>({ do: 'burst', topic: TOPIC, by, count: 5 });
		expect(await publish('before')).toBe(5);
		await until(() => client.last === 'before:4', { what: 'the messages before arrive' });
		await primary.replicated();
		await replica.command('REPLICAOF', 'NO', 'ONE');
		expect(await publish('lost')).toBe(5);
		await until(() => client.last === 'lost:4', { what: 'the messages that the replica lacks arrive' });
		const count = client.events.length;
		proxy.retarget({ port: replica.port });
		proxy.cut();
		// Messages accepted before the node has resubscribed belong to the gap.
		await until(async () => (await publish('after')) === 5 && client.last.startsWith('after'), {
			what: 'a message from the replica arrives',
			timeoutMs: 10_000,
		});
		const after = client.events.slice(count);
		const message = after.findIndex(({ kind }) => kind === 'message');
		expect(after.slice(0, message).some(({ kind }) => kind === 'gap')).toBe(true);
		const epochs = client.events.flatMap((event) => (event.kind === 'message' ? [event.epoch] : []));
		expect(new Set(epochs).size).toBe(1);
	});
});
