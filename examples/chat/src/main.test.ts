import { type ScriptProcess, freePort, spawnBun, startRedis, until } from '@orijs/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { visit } from './test-support/visitor.ts';

const started: { stop(): Promise<unknown> }[] = [];

afterEach(async () => {
	await Promise.all(started.splice(0).map((thing) => thing.stop()));
});

function start(env: Record<string, string>): ScriptProcess {
	const child = spawnBun(new URL('main.ts', import.meta.url), { env: { NODE_ENV: 'production', ...env } });
	started.push(child);
	return child;
}

/** Resolves with the port the process says it is at. */
async function portOf(child: ScriptProcess): Promise<number> {
	const address = /chat is at http:\/\/localhost:(\d+)\n/;
	await until(() => address.test(child.output()), { what: `an address is in ${JSON.stringify(child.output())}` });
	return Number(address.exec(child.output())?.[1]);
}

test('listens on PORT and serves the page with its parts', async () => {
	const wanted = await freePort();
	const port = await portOf(start({ PORT: String(wanted) }));
	expect(port).toBe(wanted);

	const page = await fetch(`http://localhost:${port}/`);
	expect(page.headers.get('content-type')).toMatch('text/html');
	const parts = [...(await page.text()).matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path ?? '');
	expect(new Set(parts.map((path) => path.replace(/.*\./, '')))).toEqual(new Set(['css', 'js', 'svg']));
	for (const path of parts) expect((await fetch(`http://localhost:${port}${path}`)).status).toBe(200);
});

test('says that a port is taken, and takes another one', async () => {
	const wanted = await freePort();
	using other = Bun.listen({ hostname: '127.0.0.1', port: wanted, socket: { data() {} } });
	const child = start({ PORT: String(wanted) });
	const port = await portOf(child);

	expect(port).toBeGreaterThan(other.port);
	expect(child.output()).toMatch(`Port ${wanted} is taken, trying ${wanted + 1}.`);
	const ada = await visit(port);
	expect(await ada.hear('welcome')).toMatchObject({ node: `node ${port}` });
});

describe.each(['SIGINT', 'SIGTERM'] as const)('%s', (signal) => {
	test('stops it: sockets are closed, and it exits with 0', async () => {
		const child = start({ PORT: String(await freePort()) });
		const ada = await visit(await portOf(child));
		await ada.join('Ada', 'lobby');
		child.kill(signal);

		expect(await ada.closed).toMatchObject({ code: 1012 });
		expect(await child.exited).toEqual({ code: 0, signal: null });
		expect(child.output()).toMatch(/Stopping.*\nStopped\.\n$/);
	});
});

test('a signal that arrives several times at once is one signal', async () => {
	const child = start({ PORT: String(await freePort()) });
	await portOf(child);
	for (let copy = 0; copy < 3; copy++) child.kill('SIGINT');

	expect(await child.exited).toEqual({ code: 0, signal: null });
});

test.each(['', 'abc', '-1', '0', '65536', '80.5'])('refuses PORT=%j', async (port) => {
	const child = start({ PORT: port });

	expect(await child.exited).toEqual({ code: 1, signal: null });
	expect(child.output()).toBe(`PORT must be a number from 1 to 65535, not "${port}"\n`);
});

test('says so when Redis is not there', async () => {
	const redis = await freePort();
	const child = start({ PORT: String(await freePort()), REDIS_URL: `redis://localhost:${redis}` });

	expect(await child.exited).toEqual({ code: 1, signal: null });
	expect(child.output()).toMatch(`Redis at localhost:${redis} could not be reached`);
});

describe('two nodes on one Redis', () => {
	test('people on both talk in one room', async () => {
		const redis = await startRedis();
		started.push(redis);
		const node = async () => portOf(start({ PORT: String(await freePort()), REDIS_URL: redis.url }));
		const [one, two] = await Promise.all([node(), node()]);
		const [ada, grace] = await Promise.all([visit(one), visit(two)]);
		await ada.join('Ada', 'lobby');
		await grace.join('Grace', 'lobby');
		expect(await ada.hear('entered')).toMatchObject({ name: 'Grace', node: `node ${two}` });

		ada.tell({ type: 'say', text: 'Hello from one' });
		expect(await grace.hear('said')).toMatchObject({ name: 'Ada', node: `node ${one}`, text: 'Hello from one' });
		grace.tell({ type: 'say', text: 'Hello from two' });
		expect(await ada.hear('said')).toMatchObject({ text: 'Hello from one' });
		expect(await ada.hear('said')).toMatchObject({ name: 'Grace', text: 'Hello from two' });

		await grace.close();
		expect(await ada.hear('left')).toMatchObject({ name: 'Grace' });
	});

	test('without Redis, people on one node still talk, and are told that others do not hear them', async () => {
		const redis = await startRedis();
		started.push(redis);
		const port = await portOf(start({ PORT: String(await freePort()), REDIS_URL: redis.url }));
		const [ada, grace] = await Promise.all([visit(port), visit(port)]);
		await ada.join('Ada', 'lobby');
		await grace.join('Grace', 'lobby');
		await redis.kill();
		ada.tell({ type: 'say', text: 'Anybody?' });

		expect(await grace.hear('said')).toMatchObject({ text: 'Anybody?' });
		expect(await ada.hear('problem')).toMatchObject({ reason: expect.stringMatching(/only people on this node/i) });
	});
});
