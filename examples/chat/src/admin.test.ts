import { until } from '@orijs/testkit';
import type { Logger } from '@orijs/websocket';
import { type ConnectionEnd, SocketClient } from '@orijs/websocket-client';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { ADMIN_PATH, BanUser, Kick, LiftBan, Look } from './admin-messages.ts';
import { createChat } from './chat.ts';
import { allLeave, visit, type Visitor } from './test-support/visitor.ts';

/** Prints only errors, because refusals are expected here. */
const quiet: Logger = { debug() {}, info() {}, warn() {}, error: console.error };

const KEY = 'a key';

let chat: ReturnType<typeof createChat>;
let port: number | undefined;

beforeEach(async () => {
	chat = createChat({ name: 'node 1', moderatorKey: KEY, restart: () => {}, logger: quiet });
	({ port } = await chat.listen(0));
});
afterEach(async () => {
	await allLeave();
	await chat.stop();
});

async function connectAdmin(key: unknown): Promise<SocketClient> {
	const client = new SocketClient(`ws://localhost:${port}${ADMIN_PATH}`, { auth: () => key });
	client.onError(() => {});
	onTestFinished(() => client.close());
	await client.connect();
	return client;
}

/** Resolves with how the visitor's connection ends for good. */
function endOf({ client }: Visitor): Promise<ConnectionEnd | undefined> {
	return new Promise((resolve) => {
		client.onStateChange((state, { end }) => state === 'closed' && resolve(end));
	});
}

test.each([undefined, '', 'another key', `${KEY} `, { key: KEY }, [KEY]])('%j is not the key', async (key) => {
	await expect(connectAdmin(key)).rejects.toMatchObject({ end: { code: 4401 } });
});

test('moderators of the chat need the admin endpoint as well', async () => {
	const ada = await visit(port, 'Ada', KEY);

	await expect(ada.client.request(Look, {})).rejects.toMatchObject({ code: 'unknown_type' });
});

test('the overview has nodes and connections, with the names of visitors', async () => {
	const grace = await visit(port, 'Grace');
	await grace.enter('lobby');
	const admin = await connectAdmin(KEY);

	const { nodes, connections, found, hasMore, bans } = await admin.request(Look, {});
	expect(nodes).toMatchObject([{ name: 'node 1', isSelf: true }]);
	expect(found).toMatchObject({ nodes: 1, answered: 1, unanswered: [], sockets: 2 });
	expect(connections).toHaveLength(2);
	expect(connections).toContainEqual(
		expect.objectContaining({
			socketId: grace.client.socketId,
			userId: grace.id,
			name: 'Grace',
			topics: expect.arrayContaining(['room:lobby', 'said:lobby']),
		}),
	);
	expect(hasMore).toBe(false);
	expect(bans).toEqual([]);
});

test('a kick takes all of the connections of a user out of the room, and only those', async () => {
	const browser = crypto.randomUUID();
	const [one, two] = [await visit(port, 'Grace', undefined, browser), await visit(port, 'Grace', undefined, browser)];
	const { id: userId } = one;
	const ada = await visit(port, 'Ada');
	for (const { enter } of [one, two, ada]) await enter('lobby');
	const admin = await connectAdmin(KEY);

	expect(await admin.request(Kick, { userId, room: 'lobby' })).toMatchObject({ sockets: 2, answered: 1, nodes: 1 });
	await until(() => [one, two].every(({ client }) => client.topics.length === 0), { what: 'both are out' });
	expect(one.changes.at(-1)).toMatchObject({ code: 'removed', message: 'A moderator has removed you from this room' });
	expect(ada.client.topics).toHaveLength(2);
	expect(await admin.request(Kick, { userId, room: 'lobby' })).toMatchObject({ sockets: 0 });
});

test('a ban ends the connections of a user for good, and keeps them out until it is lifted', async () => {
	const browser = crypto.randomUUID();
	const grace = await visit(port, 'Grace', undefined, browser);
	const { id: userId } = grace;
	const ended = endOf(grace);
	const admin = await connectAdmin(KEY);
	const outcome = await admin.request(BanUser, { userId, name: 'Grace', why: 'Too many bugs' });

	expect(outcome).toMatchObject({ sockets: 1, answered: 1, nodes: 1 });
	expect(await ended).toEqual({
		code: 4403,
		reason: 'banned',
		disconnected: { code: 'banned', message: 'Too many bugs', reconnect: false },
	});
	await expect(visit(port, 'Another name', undefined, browser)).rejects.toMatchObject({
		end: { code: 4401, reason: 'banned' },
	});
	expect((await admin.request(Look, {})).bans).toMatchObject([{ userId, name: 'Grace', why: 'Too many bugs' }]);
	await admin.request(LiftBan, { userId });
	await (await visit(port, 'Grace', undefined, browser)).enter('lobby');
});

test.each(['', ' ', 'a'.repeat(201)])('the reason %j of a ban is refused', async (why) => {
	const admin = await connectAdmin(KEY);
	// With the real schema, the client would refuse to send this.
	const anything = { '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } } as const;
	const data = { userId: crypto.randomUUID(), name: 'Grace', why };
	const sent = admin.request({ name: BanUser.name, data: anything, reply: undefined }, data);

	await expect(sent).rejects.toMatchObject({ code: 'invalid_data' });
	expect((await admin.request(Look, {})).bans).toEqual([]);
});
