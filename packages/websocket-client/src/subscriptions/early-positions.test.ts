import { expect, it, onTestFinished } from 'vitest';
import { SocketClient } from '../index.ts';
import { eventually } from '../test-support/assertions.ts';
import { LocalTestServer } from '../test-support/local-test-server.ts';

it('a position for all subscribers that comes before the messages that are requested does not skip them', async () => {
	const server = await LocalTestServer.start();
	onTestFinished(() => server.end());
	await server.serveRaw({ answers: false });
	const send = (frame: object): Promise<void> => server.sendRaw(JSON.stringify(frame));
	const received = async (count: number): Promise<void> =>
		eventually(async () => (await server.received()).length === count, `${count} frames have arrived`);
	const message = (offset: number): Promise<void> =>
		send({ name: 'n', data: offset, timestamp: 1, topic: 't', position: { epoch: 'e', offset, prev: offset - 1 } });
	const position = (offset: number, more: object = {}): Promise<void> =>
		send({ type: '@position', data: { topics: ['t'], epoch: 'e', offset, ...more } });
	const answer = (n: number): Promise<void> =>
		send({ type: '@subscribe', correlationId: `@${n}`, data: { timestamp: 1, refused: [] } });

	const client = new SocketClient(server.url);
	onTestFinished(() => client.close());
	const connected = client.connect();
	await received(1);
	await send({ type: '@auth', correlationId: '@1', data: { socketId: 's', timestamp: 1 } });
	await connected;
	const heard: unknown[] = [];
	const subscribed = client.subscribe('t', {
		onMessage: (data) => heard.push(data),
		onGap: () => heard.push('gap'),
		onRecovered: ({ recovered, count }) => heard.push([recovered, count]),
	});
	await received(2);
	await position(1, { count: 0 });
	await answer(2);
	await subscribed;
	await message(2);
	// Two are missing before this one, so the client asks for what follows 2.
	await message(5);
	await received(3);
	await position(5);
	for (const offset of [3, 4, 5]) await message(offset);
	await position(5, { recovered: true, count: 3 });
	await answer(3);
	await message(6);
	await eventually(() => heard.includes(6), 'the live message has arrived');
	expect(heard).toEqual([2, 3, 4, 5, [true, 3], 6]);
});
