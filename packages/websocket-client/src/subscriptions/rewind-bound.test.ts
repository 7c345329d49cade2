import { expect, it, onTestFinished } from 'vitest';
import { SocketClient } from '../index.ts';
import { eventually, rejection } from '../test-support/assertions.ts';
import { LocalTestServer } from '../test-support/local-test-server.ts';

it('a subscription is refused if more than 10,000 messages arrive before those of its rewind', async () => {
	const server = await LocalTestServer.start();
	onTestFinished(() => server.end());
	await server.serveRaw({ answers: false });
	const send = (frame: object): Promise<void> => server.sendRaw(JSON.stringify(frame));
	const received = async (count: number): Promise<void> =>
		eventually(async () => (await server.received()).length === count, `${count} frames have arrived`);
	const client = new SocketClient(server.url);
	onTestFinished(() => client.close());
	const errors: string[] = [];
	client.onError((error) => errors.push(error.message));
	const connected = client.connect();
	await received(1);
	await send({ type: '@auth', correlationId: '@1', data: { socketId: 's', timestamp: 1 } });
	await connected;
	const numbers: unknown[] = [];
	const subscribed = client.subscribe('t', { onMessage: (data) => numbers.push(data) });
	await received(2);
	await send({ type: '@position', data: { topics: ['t'], epoch: 'e', offset: 1, count: 0 } });
	await send({ type: '@subscribe', correlationId: '@2', data: { timestamp: 1, refused: [] } });
	await subscribed;

	const heard: unknown[] = [];
	const later = client.subscribe('t', { rewind: 5, onMessage: (data) => heard.push(data) });
	await received(3);
	for (let n = 2; n <= 10_001; n++) {
		const position = { epoch: 'e', offset: n, prev: n - 1 };
		await send({ name: 'n', data: n, timestamp: 1, topic: 't', position });
	}
	await eventually(() => numbers.length === 10_000, 'all have arrived');
	expect(errors).toEqual([]);
	await send({ name: 'n', data: 0, timestamp: 1, topic: 't', position: { epoch: 'e', offset: 10_002, prev: 10_001 } });
	expect(await rejection(later)).toMatchObject({ code: 'timeout' });
	expect([errors.length, heard, numbers.length]).toEqual([1, [], 10_001]);
});
