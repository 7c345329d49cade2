import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ScriptProcess, spawnBun, until } from '@orijs/testkit';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { Said } from './messages.ts';
import { allLeave, visit } from './test-support/visitor.ts';

const started: ScriptProcess[] = [];

afterEach(async () => {
	await allLeave();
	await Promise.all(started.splice(0).map((child) => child.stop()));
});

async function start(): Promise<{ cluster: ScriptProcess; ports: number[]; pids: number[] }> {
	const cluster = spawnBun(new URL('cluster.ts', import.meta.url));
	started.push(cluster);
	await until(() => /Open both/.test(cluster.output()), { what: 'both nodes are up', timeoutMs: 10_000 });
	const ports = [...cluster.output().matchAll(/^ {2}http:\/\/localhost:(\d+)$/gm)].map(([, port]) => Number(port));
	return { cluster, ports, pids: descendants(cluster.pid) };
}

/** Returns the ids of all descendants of a process. */
function descendants(pid: number): number[] {
	const { stdout } = Bun.spawnSync(['ps', '-A', '-o', 'pid=,ppid=']);
	const all = stdout
		.toString()
		.trim()
		.split('\n')
		.map((line) => line.trim().split(/\s+/).map(Number));
	const of = (parent: number): number[] =>
		all.flatMap(([child, itsParent]) => (itsParent === parent && child !== undefined ? [child, ...of(child)] : []));
	return of(pid);
}

/** Lists which of the processes are still running. Zombies are ignored. */
function alive(pids: readonly number[]): string {
	const { stdout } = Bun.spawnSync(['ps', '-o', 'pid=,stat=,args=', '-p', pids.join(',')]);
	return stdout
		.toString()
		.split('\n')
		.filter((line) => line !== '' && !/^\s*\d+\s+Z/.test(line))
		.join('\n');
}

test('visitors of the two nodes talk to each other; SIGINT ends everything', async () => {
	const { cluster, ports, pids } = await start();
	expect(new Set(ports).size).toBe(2);
	const [ada, grace] = await Promise.all([visit(ports[0], 'Ada'), visit(ports[1], 'Grace')]);
	await Promise.all([ada.enter('lobby'), grace.enter('lobby')]);
	await ada.say('lobby', 'Hello');
	expect(await grace.hear(Said)).toMatchObject({ node: `node ${ports[0]}`, text: 'Hello' });
	expect(pids.length).toBeGreaterThanOrEqual(3);

	cluster.kill('SIGINT');
	expect(await cluster.exited).toEqual({ code: 0, signal: null });
	for (const port of ports) expect(cluster.output()).toMatch(`node ${port} | Stopping on SIGTERM`);
	expect(alive(pids)).toBe('');
});

test('nothing outlives a killed launcher', async () => {
	const { cluster, pids } = await start();
	cluster.kill('SIGKILL');

	await until(() => alive(pids) === '', { what: 'all is gone' });
});

test('a node that exits ends the others', async () => {
	const { cluster, pids } = await start();
	const node = pids.find((pid) => /main\.ts/.test(alive([pid])));
	if (node !== undefined) process.kill(node, 'SIGKILL');

	expect(await cluster.exited).toEqual({ code: 1, signal: null });
	expect(cluster.output()).toMatch('A node exited');
	expect(alive(pids)).toBe('');
});

test('explains what to do when redis-server is missing', async () => {
	const path = mkdtempSync(join(tmpdir(), 'orijs-path-'));
	onTestFinished(() => rmSync(path, { recursive: true }));
	symlinkSync(Bun.which('sh') ?? '', join(path, 'sh'));
	const cluster = spawnBun(new URL('cluster.ts', import.meta.url), { env: { PATH: path } });
	started.push(cluster);

	expect(await cluster.exited).toEqual({ code: 1, signal: null });
	expect(cluster.output()).toMatch('bun run ensure-redis');
});
