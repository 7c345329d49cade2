import { type TestClient, until } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import {
	changesOf,
	enter,
	framesOf,
	type PresenceCluster,
	presenceCluster,
	request,
} from '../test-support/presence-nodes.ts';
import { allReceived, answersOf, parse, sendTyped } from '../test-support/typed-client.ts';

/** A client of a node that reads the members of a topic only when it is let. */
async function watching(
	authorize?: () => boolean,
): Promise<PresenceCluster & { ada: TestClient; release: () => void; answer: () => Promise<unknown> }> {
	const cluster = await presenceCluster({ presence: authorize === undefined ? {} : { authorize } });
	const ada = await cluster.nodes[0].speaker('ada');
	await request(ada, '@subscribe', { topic: 'room:a' });
	const release = cluster.holdReads();
	sendTyped(ada, '@watch', { topic: 'room:a' }, 'watch');
	await allReceived(ada);
	expect(answersOf(ada).map(([id]) => id)).not.toContain('watch');
	return {
		...cluster,
		ada,
		release,
		async answer() {
			release();
			await ada.next((message) => parse(message)['correlationId'] === 'watch');
			return new Map(answersOf(ada)).get('watch');
		},
	};
}

/** Expects that a client is told nothing when somebody enters the topic. */
async function expectNothingTold({ ada, nodes: [one] }: { ada: TestClient } & PresenceCluster): Promise<void> {
	const [ben, cy] = [await one.speaker('ben'), await one.speaker('cy')];
	await enter(ben, 'room:a');
	await enter(cy, 'room:a');
	await until(() => changesOf(ben).some(({ joined }) => joined?.[0]?.key === 'user:cy'), { what: 'others are told' });
	await allReceived(ada);
	expect(changesOf(ada)).toEqual([]);
	expect(framesOf(ada, '@unwatched')).toEqual([]);
}

describe('a watch that is not answered yet', () => {
	it('is refused if the client takes it back', async () => {
		const pending = await watching();
		expect(await request(pending.ada, '@unwatch', { topic: 'room:a' })).toEqual({});
		expect(await pending.answer()).toBe('closed');
		await expectNothingTold(pending);
	});

	it('is refused if the client leaves the topic, or the server takes it out', async () => {
		const [left, kicked] = [await watching(), await watching()];
		await request(left.ada, '@unsubscribe', { topic: 'room:a' });
		expect(await left.answer()).toBe('not_subscribed');
		await expectNothingTold(left);
		await kicked.nodes[1].app.cluster.unsubscribe({ userId: 'ada' }, 'room:a', { code: 'kicked' });
		expect(await kicked.answer()).toBe('not_subscribed');
		await expectNothingTold(kicked);
	});

	it('is refused if it is no longer allowed', async () => {
		let isAllowed = true;
		const pending = await watching(() => isAllowed);
		isAllowed = false;
		await pending.nodes[1].app.reauthorize('all');
		isAllowed = true;
		expect(await pending.answer()).toBe('forbidden');
		await expectNothingTold(pending);
	});

	it('is answered if the client has taken back an earlier one', async () => {
		const pending = await watching();
		sendTyped(pending.ada, '@unwatch', { topic: 'room:a' }, 'unwatch');
		sendTyped(pending.ada, '@watch', { topic: 'room:a' }, 'again');
		expect(await pending.answer()).toBe('closed');
		await pending.ada.next((message) => parse(message)['correlationId'] === 'again');
		expect(new Map(answersOf(pending.ada)).get('again')).toMatchObject({ count: 1, members: [{ key: 'user:ada' }] });
		await enter(await pending.nodes[0].speaker('ben'), 'room:a');
		await until(() => changesOf(pending.ada).some(({ count }) => count === 2), { what: 'changes are told' });
	});

	it('ends with its connection, and holds up nothing', async () => {
		const pending = await watching();
		const [{ provider, log, speaker }] = pending.nodes;
		const [socket] = [...provider.getConnections()];
		const { socketId } = socket?.data ?? { socketId: '' };
		sendTyped(pending.ada, '@watch', { topic: 'room:a' }, 'second');
		await allReceived(pending.ada);
		await pending.ada.close();
		await until(() => !provider.isConnected(socketId), { what: 'the connection has closed' });
		pending.release();
		expect(await enter(await speaker('ben'), 'room:a')).toMatchObject({ members: [{ key: 'user:ben' }] });
		expect(provider.socketPresence.watchedBy(socketId)).toBe(0);
		expect(log.errors).toEqual([]);
	});
});
