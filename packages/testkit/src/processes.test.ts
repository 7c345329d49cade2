import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { isAlive } from './fixtures/is-alive.ts';
import { spawnBun, spawnNode } from './processes.ts';
import type { ScriptProcess, SpawnOptions } from './processes.ts';
import { until } from './until.ts';

const started: ScriptProcess[] = [];

function spawn(fixture: string, options?: SpawnOptions): ScriptProcess {
	const child = spawnBun(new URL(`fixtures/${fixture}`, import.meta.url), options);
	started.push(child);
	return child;
}

afterEach(async () => {
	await Promise.all(started.splice(0).map((child) => child.stop()));
});

test('a request waits until the script has started; arguments and environment are passed to it', async () => {
	const child = spawn('child.ts', { args: ['one', 'two'], env: { TESTKIT_GREETING: 'hello' } });

	expect(await child.request('started')).toEqual([['one', 'two'], 'hello']);
});

test('a script on Node answers requests', async () => {
	const child = spawnNode(fileURLToPath(new URL('fixtures/node-child.mjs', import.meta.url)), { args: ['one'] });
	started.push(child);

	expect(await child.request({ question: 1 })).toEqual({ runtime: 'node', args: ['one'], request: { question: 1 } });
});

test('requests preserve typed arrays, and each gets its own reply', async () => {
	const child = spawn('child.ts');
	const requests = [{ bytes: new Uint8Array([0, 255]) }, 'text', ['list', 2]];

	expect(await Promise.all(requests.map((request) => child.request(request)))).toEqual(requests);
});

test('a handler that throws rejects only its own request', async () => {
	const child = spawn('child.ts');

	await expect(child.request('fail')).rejects.toThrow(/TypeError: as requested/);
	expect(await child.request('next')).toBe('next');
});

test('an exit rejects pending and later requests, with the output', async () => {
	const child = spawn('child.ts');

	await expect(child.request('exit')).rejects.toThrow(/child\.ts exited with 3\nleaving with 3/);
	await expect(child.request('more')).rejects.toThrow(/exited with 3/);
	expect(await child.exited).toEqual({ code: 3, signal: null });
});

test('a script that fails to start rejects requests with the reason', async () => {
	const child = spawn('no-such-file.ts');

	await expect(child.request('anything')).rejects.toThrow(/Module not found.*no-such-file\.ts/);
});

test('kill sends a signal, and is ignored after the exit', async () => {
	const child = spawn('child.ts');
	child.kill('SIGTERM');

	expect(await child.exited).toEqual({ code: null, signal: 'SIGTERM' });
	child.kill();
});

test('a frozen process answers requests only once it is thawed', async () => {
	const child = spawn('child.ts');
	await child.request('ready?');
	child.freeze();

	await expect(child.request('lost', 100)).rejects.toThrow(/did not answer "lost" within 100 ms/);
	const late = child.request('late');
	child.thaw();
	expect(await late).toBe('late');
});

test('a frozen process can be stopped', async () => {
	const child = spawn('child.ts');
	child.freeze();

	expect(await child.stop()).toEqual({ code: null, signal: 'SIGKILL' });
});

test('reports survive a SIGKILL of the process that sent them', async () => {
	const child = spawn('child.ts');

	await expect(child.request('report and die')).rejects.toThrow(/exited with SIGKILL/);
	expect(child.reports).toEqual(Array.from({ length: 1000 }, (_, index) => index + 1));
});

test('no process outlives a parent that is killed', async () => {
	const parent = spawn('parent-without-cleanup.ts');
	const pids = await parent.request<number[]>('pids');
	expect(pids.map(isAlive)).toEqual([true, true]);
	parent.kill('SIGKILL');

	await until(() => !pids.some(isAlive), { what: 'Redis and the frozen child have ended' });
});
