import { until } from '@orijs/testkit';
import { MemoryBackend } from '@orijs/websocket/testing';
import { describe, expect, it } from 'vitest';
import { noticesOf, request, serveRights } from '../test-support/rights-server.ts';
import { ACCEPTED, allReceived } from '../test-support/typed-client.ts';

const KICKED = { code: 'kicked', message: 'Bye' };
const yes = { subscribe: () => true };

describe('a topic that the server takes away while its @subscribe waits for the backend', () => {
	it.each(['t', 'log:t'])('is refused with the reason: %s', async (topic) => {
		const { connect, holdConfirmations } = await serveRights(yes);
		const { client, ws } = await connect();
		const release = holdConfirmations();
		const answers = [request(client, '@subscribe', { topic }), request(client, '@subscribe', { topics: [topic, 'u'] })];
		await allReceived(client);
		await ws.unsubscribe(topic, KICKED);
		release();

		const [one, two] = await Promise.all(answers);
		expect(one).toEqual(KICKED);
		expect(two).toEqual({ ...ACCEPTED, refused: [{ topic, ...KICKED }] });
		expect([...ws.data.topics]).toEqual(['u']);
	});

	it('and gives back is not refused', async () => {
		const { connect, holdConfirmations } = await serveRights(yes);
		const { client, ws } = await connect();
		const release = holdConfirmations();
		const answer = request(client, '@subscribe', { topic: 't' });
		await allReceived(client);
		await ws.unsubscribe('t', KICKED);
		const again = ws.subscribe('t');
		release();
		await again;
		expect([await answer, [...ws.data.topics]]).toEqual([ACCEPTED, ['t']]);
	});

	it('does not refuse what the client asks for afterwards, or leaves by itself', async () => {
		const { connect, holdConfirmations } = await serveRights(yes);
		const { client, ws } = await connect();
		const release = holdConfirmations();
		const earlier = request(client, '@subscribe', { topic: 't' });
		await allReceived(client);
		await ws.unsubscribe('t', KICKED);
		const later = request(client, '@subscribe', { topic: 't' });
		await allReceived(client);
		const left = request(client, '@unsubscribe', { topic: 't' });
		await allReceived(client);
		release();
		expect(await Promise.all([earlier, later, left])).toEqual([ACCEPTED, ACCEPTED, ACCEPTED]);
		expect(ws.data.topics.size).toBe(0);
	});
});

it('a topic that the client is in, and that is taken away while the others of its request are decided, is refused', async () => {
	const slow = Promise.withResolvers<boolean>();
	const asked: string[] = [];
	const { connect } = await serveRights({
		subscribe(_, topic) {
			asked.push(topic);
			return slow.promise;
		},
	});
	const { client, ws } = await connect();
	await ws.subscribe('member');
	const answer = request(client, '@subscribe', { topics: ['member', 'slow'] });
	await until(() => asked.length === 1, { what: 'the other is asked about' });
	await ws.unsubscribe('member', KICKED);
	slow.resolve(true);
	expect(await answer).toEqual({ ...ACCEPTED, refused: [{ topic: 'member', ...KICKED }] });
	expect([asked, [...ws.data.topics]]).toEqual([['slow'], ['slow']]);
});

it('what another node publishes arrives until the topic is taken away, and not after that', async () => {
	const backend = new MemoryBackend();
	const here = await serveRights(yes, { backend });
	const there = await serveRights(yes, { backend });
	const { client, ws } = await here.connect();
	await request(client, '@subscribe', { topics: ['t', 'kept'] });
	await there.app.socket.publish('t', 'before');
	await client.next((frame) => frame === 'before');
	await ws.unsubscribe('t', KICKED);
	await there.app.socket.publish('t', 'after');
	await there.app.socket.publish('kept', 'marker');
	await client.next((frame) => frame === 'marker');
	expect(client.texts.filter((text) => text === 'after')).toEqual([]);
	expect(noticesOf(client, '@unsubscribed')).toEqual([{ topic: 't', ...KICKED }]);
});
