import { until } from '@orijs/testkit';
import { InProcWsProvider } from '@orijs/websocket';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { type PresenceInfoContext, SocketProtocol } from '../index.ts';
import { changesOf, request } from '../test-support/presence-nodes.ts';
import { serveWired, type User } from '../test-support/serve-wired.ts';

const provider = (): InProcWsProvider => new InProcWsProvider({ presence: { 'room:*': { leaveDelayMs: 0 } } });

it('clients of a SocketProtocol watch, update and are described, plain ones as well, until they leave', async () => {
	const used = provider();
	const { speaker, plain } = await serveWired({
		provider: used,
		onOpen: ({ data }) => queueMicrotask(() => void used.subscribe(data.socketId, 'room:a')),
		presence: {
			info: ({ state, topic, ws }: PresenceInfoContext<User, User>) => ({
				name: state.user,
				in: topic,
				id: ws.data.socketId,
			}),
			schema: z.object({ name: z.string(), in: z.string(), mood: z.enum(['good']).optional() }),
		},
	});
	const ben = await speaker('ben');
	const ann = await plain();
	const { members } = await request(ben, '@watch', { topic: 'room:a' });
	const infos = (members as { info: { name: string } }[])
		.map(({ info }) => info)
		.toSorted((a, b) => a.name.localeCompare(b.name));
	expect(infos).toEqual([
		{ name: 'ann', in: 'room:a' },
		{ name: 'ben', in: 'room:a' },
	]);
	expect(await request(ben, '@update', { topic: 'room:a', info: { mood: 'bad' } })).toMatchObject({
		code: 'invalid_data',
	});
	expect(await request(ben, '@update', { topic: 'room:a', info: { mood: 'good' } })).toEqual({});
	await until(() => changesOf(ben).some(({ updated }) => updated?.[0]?.info?.['mood'] === 'good'), {
		what: 'the change arrives',
	});
	await ann.close();
	await until(() => changesOf(ben).some(({ count }) => count === 1), { what: 'Ann has left' });
	const { value: socket } = used.getConnections()[Symbol.iterator]().next() as {
		value: { data: { socketId: string } };
	};
	expect(used.socketPresence.watchedBy(socket.data.socketId)).toBe(1);
	await ben.close();
	await until(() => used.socketPresence.watchedBy(socket.data.socketId) === 0, { what: 'the watch has ended' });
});

it('a bad option presence of a SocketProtocol is refused', () => {
	expect(() => new SocketProtocol(provider(), { presence: { infoBytes: 0 } })).toThrow(
		'new SocketProtocol(): presence.infoBytes must be a whole number from 1 to 16384, not 0',
	);
});
