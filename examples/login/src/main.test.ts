import { type ScriptProcess, freePort, spawnBun, until } from '@orijs/testkit';
import { afterEach, expect, test } from 'vitest';
import { NotePosted, NOTES_TOPIC } from './messages.ts';
import { ada, grace } from './test-support/boards.ts';
import { connect, cookieOf } from './test-support/member.ts';

const started: ScriptProcess[] = [];

afterEach(async () => {
	await Promise.all(started.splice(0).map((child) => child.stop()));
});

function run(script: string, env: Record<string, string>, args: string[] = []): ScriptProcess {
	const child = spawnBun(new URL(script, import.meta.url), { env: { NODE_ENV: 'production', ...env }, args });
	started.push(child);
	return child;
}

/** Starts a notice board on a free port and resolves when it listens. */
async function start(): Promise<{ readonly child: ScriptProcess; readonly port: number }> {
	const port = await freePort();
	const child = run('main.ts', { PORT: String(port) });
	await until(() => child.output().includes(`The notice board is at http://localhost:${port}\n`), {
		what: 'it listens',
		timeoutMs: 15_000,
	});
	return { child, port };
}

test('serves the page with its assets, and nothing from other sites', async () => {
	const { port } = await start();
	const page = await fetch(`http://localhost:${port}/`);

	expect(page.headers.get('content-type')).toMatch('text/html');
	expect(page.headers.get('content-security-policy')).toMatch("default-src 'none'; script-src 'self'");
	const parts = [...(await page.text()).matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path ?? '');
	expect(new Set(parts.map((path) => path.replace(/.*\./, '')))).toEqual(new Set(['css', 'js', 'svg']));
	for (const path of parts) expect((await fetch(`http://localhost:${port}${path}`)).status).toBe(200);
});

test('a program can post a note', async () => {
	const { port } = await start();
	const reader = await connect(port, { cookie: await cookieOf(port, ada) });
	await reader.subscribe(NOTES_TOPIC);
	const program = (env: Record<string, string>, text: string): ScriptProcess =>
		run('post-note.ts', { URL: `http://localhost:${port}`, NAME: 'grace', ...env }, [text]);

	const posted = program({ PASSWORD: grace.password }, 'Version 2 is out');
	expect(await reader.hear(NotePosted)).toMatchObject({ author: 'grace', text: 'Version 2 is out' });
	expect(await posted.exited).toEqual({ code: 0, signal: null });
	expect(posted.output()).toMatch(/^Posted as [\w-]{36}\n$/);

	const refused = program({ PASSWORD: grace.password }, ' ');
	expect(await refused.exited).toEqual({ code: 1, signal: null });
	const stranger = program({ PASSWORD: 'wrong' }, 'Hello');
	expect(await stranger.exited).toEqual({ code: 1, signal: null });
	expect(stranger.output()).toMatch('Wrong name or password');
});

test('SIGTERM stops it: clients are told when to reconnect, and it exits with 0', async () => {
	const { child, port } = await start();
	const client = await connect(port, { cookie: await cookieOf(port, ada) });
	await client.subscribe(NOTES_TOPIC);
	child.kill('SIGTERM');

	expect(await client.closed).toMatchObject({ code: 1012, reason: expect.stringMatching(/retry-after-ms=\d+$/) });
	expect(await child.exited).toEqual({ code: 0, signal: null });
});

test.each(['', 'abc', '0', '65536'])('refuses PORT=%j', async (port) => {
	const child = run('main.ts', { PORT: port });

	expect(await child.exited).toEqual({ code: 1, signal: null });
	expect(child.output()).toBe(`PORT must be a number from 1 to 65535, not "${port}"\n`);
});

test('refuses SESSION_SECONDS="0"', async () => {
	const child = run('main.ts', { PORT: String(await freePort()), SESSION_SECONDS: '0' });

	expect(await child.exited).toEqual({ code: 1, signal: null });
	expect(child.output()).toBe('SESSION_SECONDS must be a number from 1 to 999999, not "0"\n');
});
