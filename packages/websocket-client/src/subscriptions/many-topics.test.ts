import { heapStats } from 'bun:jsc';
import { expect, it, onTestFinished } from 'vitest';
import { eventually } from '../test-support/assertions.ts';
import { LocalTestServer } from '../test-support/local-test-server.ts';
import { newClient } from '../test-support/run-scenario.ts';

const TOPICS = 5_000;

it('a client remembers nothing about topics that it is sent positions of but has not subscribed to', async () => {
	const server = await LocalTestServer.start();
	onTestFinished(() => server.end());
	await server.serveRaw({ answers: false });
	const client = newClient(server);
	onTestFinished(() => client.close());
	const connected = client.connect();
	await eventually(async () => (await server.received()).length === 1, '@auth has arrived');
	await server.sendRaw('{"type":"@auth","correlationId":"@1","data":{"socketId":"s","timestamp":1000000}}');
	await connected;

	let last = '';
	client.onRaw((data) => {
		if (typeof data === 'string') last = data;
	});
	const sendPositions = async (round: number): Promise<number> => {
		for (let i = 0; i < TOPICS; i++)
			await server.sendRaw(`{"type":"@position","data":{"topics":["t:${round}:${i}"],"epoch":"e","offset":1}}`);
		await server.sendRaw(`end of ${round}`);
		await eventually(() => last === `end of ${round}`, 'all have arrived');
		Bun.gc(true);
		return heapStats().objectCount;
	};
	await sendPositions(0);
	const before = await sendPositions(1);
	await sendPositions(2);
	expect((await sendPositions(3)) - before).toBeLessThan(TOPICS / 5);
});

it('a client remembers nothing about topics that the server has chosen and ended', async () => {
	const server = await LocalTestServer.start();
	onTestFinished(() => server.end());
	await server.serveRaw();
	const client = newClient(server);
	onTestFinished(() => client.close());
	await client.connect();
	let changes = 0;
	client.onTopicsChange(() => changes++);
	const comeAndGo = async (round: number): Promise<number> => {
		changes = 0;
		for (let i = 0; i < TOPICS; i++) {
			const topic = `t:${round}:${i}`;
			const position = i % 2 ? { epoch: 'e', offset: 1 } : undefined;
			await server.sendRaw(
				JSON.stringify({ type: '@subscribed', data: { timestamp: 1, topics: [{ topic, position }] } }),
			);
			await server.sendRaw(
				JSON.stringify({ type: '@unsubscribed', data: { topics: [{ topic, code: 'gone', message: '' }] } }),
			);
		}
		await eventually(() => changes === 2 * TOPICS, 'all have come and gone');
		expect([client.topics, client.positions]).toEqual([[], {}]);
		Bun.gc(true);
		return heapStats().objectCount;
	};
	await comeAndGo(0);
	const before = await comeAndGo(1);
	await comeAndGo(2);
	expect((await comeAndGo(3)) - before).toBeLessThan(TOPICS / 5);
});
