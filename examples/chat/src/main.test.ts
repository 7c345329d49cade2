import { type ScriptProcess, freePort, spawnBun, startRedis, until } from '@orijs/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { Remove, Restart, Said } from './messages.ts';
import { allLeave, visit } from './test-support/visitor.ts';

const started: { stop(): Promise<unknown> }[] = [];

afterEach(async () => {
	await allLeave();
	await Promise.all(started.splice(0).map((thing) => thing.stop()));
});

function start(env: Record<string, string>): ScriptProcess {
	const child = spawnBun(new URL('main.ts', import.meta.url), { env: { NODE_ENV: 'production', ...env } });
	started.push(child);
	return child;
}

/** Resolves with the port that the process prints. */
async function portOf(child: ScriptProcess): Promise<number> {
	const address = /chat is at http:\/\/localhost:(\d+)\n/;
	await until(() => address.test(child.output()), { what: `an address is in ${JSON.stringify(child.output())}` });
	return Number(address.exec(child.output())?.[1]);
}

test('listens on PORT and serves the page with its assets', async () => {
	const wanted = await freePort();
	const port = await portOf(start({ PORT: String(wanted) }));
	expect(port).toBe(wanted);

	const page = await fetch(`http://localhost:${port}/`);
	expect(page.headers.get('content-type')).toMatch('text/html');
	const parts = [...(await page.text()).matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path ?? '');
	expect(new Set(parts.map((path) => path.replace(/.*\./, '')))).toEqual(new Set(['css', 'js', 'svg']));
	for (const path of parts) expect((await fetch(`http://localhost:${port}${path}`)).status).toBe(200);
});

test('reports a port that is taken, and uses another one', async () => {
	const wanted = await freePort();
	using other = Bun.listen({ hostname: '127.0.0.1', port: wanted, socket: { data() {} } });
	const child = start({ PORT: String(wanted) });
	const port = await portOf(child);

	expect(port).toBeGreaterThan(other.port);
	expect(child.output()).toMatch(`Port ${wanted} is taken, trying ${wanted + 1}.`);
	const ada = await visit(port, 'Ada');
	expect(await ada.enter('lobby')).toMatchObject({ node: { name: `node ${port}` } });
});

test.each(['SIGINT', 'SIGTERM'] as const)(
	'%s stops it: clients are told to come back, and it exits with 0',
	async (signal) => {
		const child = start({ PORT: String(await freePort()) });
		const ada = await visit(await portOf(child), 'Ada');
		const ended = new Promise((resolve) => ada.client.onStateChange((_state, { end }) => resolve(end)));
		child.kill(signal);

		expect(await ended).toMatchObject({ code: 1012, reason: expect.stringMatching(/retry-after-ms=\d+$/) });
		expect(await child.exited).toEqual({ code: 0, signal: null });
	},
);

describe('a restart', () => {
	test('is confirmed, and the node returns on the same port; its visitors are in their room again and learn of the gap', async () => {
		const child = start({ PORT: String(await freePort()) });
		const ada = await visit(await portOf(child), 'Ada');
		const before = await ada.enter('lobby');
		const states: string[] = [];
		ada.client.onStateChange((state, { end }) => states.push(`${state} ${end?.code ?? ''}`.trim()));
		await ada.client.request(Restart, { id: before.node.id });

		await until(() => ada.gaps.length === 2, { what: "a gap in each of the room's topics", timeoutMs: 10_000 });
		expect(states[0]).toBe('waiting 1012');
		expect(states.at(-1)).toBe('ready');
		const after = await ada.enter('lobby');
		expect(after.node.name).toBe(before.node.name);
		expect(after.node.id).not.toBe(before.node.id);
		const { handle, untilHere } = ada.watch('lobby');
		await untilHere('Ada');
		expect(handle.members).toMatchObject([{ userId: after.you.id, connections: 1 }]);
		await ada.say('lobby', 'Back');
		expect(await ada.hear(Said)).toMatchObject({ text: 'Back' });
	});

	test('can be requested twice, and messages sent meanwhile wait', async () => {
		const child = start({ PORT: String(await freePort()) });
		const port = await portOf(child);
		const ada = await visit(port, 'Ada');
		for (let round = 0; round < 2; round++) {
			const { node } = await ada.enter('lobby');
			const away = new Promise<void>((resolve) => {
				ada.client.onStateChange((state) => state === 'waiting' && resolve());
			});
			// Two requests cause one restart. The second may arrive when nothing is listening.
			await Promise.allSettled([1, 2].map(() => ada.client.request(Restart, { id: node.id })));
			await away;
			await ada.say('lobby', 'While it was away');
		}

		expect(child.output().match(/ is back/g)).toHaveLength(2);
	});

	test.each(['SIGINT', 'SIGTERM'] as const)('can be ended by %s while the node is down', async (signal) => {
		const child = start({ PORT: String(await freePort()) });
		const ada = await visit(await portOf(child), 'Ada');
		const refused = new Promise<void>((resolve) => {
			ada.client.onStateChange((_state, { end }) => end?.code === 1006 && resolve());
		});
		const { node } = await ada.enter('lobby');
		await ada.client.request(Restart, { id: node.id });
		await refused;
		child.kill(signal);

		expect(await child.exited).toEqual({ code: 0, signal: null });
	});
});

test.each(['', 'abc', '-1', '0', '65536', '80.5'])('refuses PORT=%j', async (port) => {
	const child = start({ PORT: port });

	expect(await child.exited).toEqual({ code: 1, signal: null });
	expect(child.output()).toBe(`PORT must be a number from 1 to 65535, not "${port}"\n`);
});

test('reports that Redis is not running', async () => {
	const redis = await freePort();
	const child = start({ PORT: String(await freePort()), REDIS_URL: `redis://localhost:${redis}` });

	expect(await child.exited).toEqual({ code: 1, signal: null });
	expect(child.output()).toMatch(`Redis at localhost:${redis} could not be reached`);
});

describe('two nodes on one Redis', () => {
	test('visitors of both talk in one room, and see each other there', async () => {
		const redis = await startRedis();
		started.push(redis);
		const node = async () => portOf(start({ PORT: String(await freePort()), REDIS_URL: redis.url }));
		const [one, two] = await Promise.all([node(), node()]);
		const [ada, grace] = await Promise.all([visit(one, 'Ada'), visit(two, 'Grace')]);
		await ada.enter('lobby');
		await grace.enter('lobby');
		const here = ada.watch('lobby');
		for (const { handle, untilHere } of [here, grace.watch('lobby')]) {
			await untilHere('Ada', 'Grace');
			const nodes = handle.members.map(({ info }) => info?.['node']);
			expect(new Set(nodes)).toEqual(new Set([`node ${one}`, `node ${two}`]));
		}

		await ada.say('lobby', 'Hello from one');
		await grace.say('lobby', 'Hello from two');
		await ada.hear(Said, ({ node, text }) => node === `node ${two}` && text === 'Hello from two');
		await grace.hear(Said, ({ node, text }) => node === `node ${one}` && text === 'Hello from one');

		await grace.client.close();
		await here.untilHere('Ada');
	});

	test('a moderator removes someone who is on the other node', async () => {
		const redis = await startRedis();
		started.push(redis);
		const env = { REDIS_URL: redis.url, MODERATOR_KEY: 'a key' };
		const node = async () => portOf(start({ PORT: String(await freePort()), ...env }));
		const [one, two] = await Promise.all([node(), node()]);
		const [ada, grace] = await Promise.all([visit(one, 'Ada', 'a key'), visit(two, 'Grace')]);
		await ada.enter('lobby');
		const { you } = await grace.enter('lobby');
		await ada.client.request(Remove, { id: you.id, room: 'lobby' });

		await until(() => grace.client.topics.length === 0, { what: 'Grace is out of the room' });
		expect(grace.changes.at(-1)).toMatchObject({ code: 'removed', message: 'Ada has removed you from this room' });
		await grace.enter('lobby');
		await ada.say('lobby', 'Welcome back');
		await grace.hear(Said, ({ text }) => text === 'Welcome back');
	});

	test('after a restart of their node visitors are in their room again, and receive what they missed', async () => {
		const redis = await startRedis();
		started.push(redis);
		const node = async () => portOf(start({ PORT: String(await freePort()), REDIS_URL: redis.url }));
		const [one, two] = await Promise.all([node(), node()]);
		const [ada, grace] = await Promise.all([visit(one, 'Ada'), visit(two, 'Grace')]);
		await grace.enter('lobby');
		const { node: before } = await ada.enter('lobby');
		const away = new Promise<void>((resolve) => {
			ada.client.onStateChange((state) => state === 'waiting' && resolve());
		});
		await ada.client.request(Restart, { id: before.id });
		await away;
		await grace.say('lobby', 'You missed this');

		expect(await ada.hear(Said)).toMatchObject({ text: 'You missed this' });
		await until(() => ada.recovered.length === 1, { what: 'the recovery is told' });
		expect(ada.recovered).toEqual([{ topic: 'said:lobby', recovered: true, count: 1 }]);
		expect(ada.changes.filter(({ type }) => type === 'unsubscribed')).toEqual([]);
		// Of what is not kept, only the time is known.
		await until(() => ada.gaps.length === 1, { what: 'a gap in what is not kept' });
		expect(ada.gaps.map(({ topic }) => topic)).toEqual(['room:lobby']);
	});

	test('without Redis messages are refused, because they cannot be kept; no one disappears, and pages know that this may be old', async () => {
		const redis = await startRedis();
		started.push(redis);
		const port = await portOf(start({ PORT: String(await freePort()), REDIS_URL: redis.url }));
		const [ada, grace] = await Promise.all([visit(port, 'Ada'), visit(port, 'Grace')]);
		await ada.enter('lobby');
		await grace.enter('lobby');
		const { handle: here } = ada.watch('lobby');
		const { handle: seen, untilHere } = grace.watch('lobby');
		await untilHere('Ada', 'Grace');
		await redis.kill();

		await expect(ada.say('lobby', 'Anybody?')).rejects.toMatchObject({ code: 'unavailable' });
		await until(() => seen.isStale, { what: 'Grace knows that the list may be old' });
		void here.update({ typing: true });
		await until(() => seen.members.some(({ info }) => info?.['typing']), { what: 'Grace sees that Ada is typing' });
		await untilHere('Ada', 'Grace');
		expect(grace.heard(Said)).toEqual([]);
	});
});
