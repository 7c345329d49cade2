import { freePort, type ScriptProcess, spawnBun, until } from '@orijs/testkit';
import { SocketClient } from '@orijs/websocket-client';
import { afterEach, expect, test } from 'vitest';

const started: ScriptProcess[] = [];

afterEach(async () => {
	await Promise.all(started.splice(0).map((child) => child.stop()));
});

function run(name: string, env: Record<string, string>): ScriptProcess {
	const child = spawnBun(new URL('main.ts', import.meta.url), { env, args: [name] });
	started.push(child);
	return child;
}

test.each(['bun', 'hono', 'elysia'])(
	'SIGTERM stops %s: clients are disconnected, and it exits with 0',
	async (name) => {
		const port = await freePort();
		const child = run(name, { PORT: String(port) });
		const line = `The orders are at http://localhost:${port}, served with ${name}\n`;
		await until(() => child.output().includes(line), { what: 'it listens', timeoutMs: 15_000 });
		const client = new SocketClient(`ws://localhost:${port}/ws`);
		await client.connect();

		child.kill('SIGTERM');
		expect(await child.exited).toEqual({ code: 0, signal: null });
		await client.close();
	},
);

test('it refuses other names', async () => {
	const child = run('express', {});
	expect(await child.exited).toEqual({ code: 1, signal: null });
	expect(child.output()).toBe('Choose one of bun, hono, elysia, not express\n');
});
