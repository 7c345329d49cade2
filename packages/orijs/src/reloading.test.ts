import { join } from 'node:path';
import { editFile, freePort, startRedis, until } from '@orijs/testkit';
import { SocketClient } from '@orijs/websocket-client';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { SampleRuns } from './test-support/sample-runs.ts';

const EDITS = 10;

let runs: SampleRuns | undefined;

afterEach(async () => {
	await runs?.end();
	runs?.remove();
	runs = undefined;
});

describe.each(['--hot', '--watch'] as const)('editing a server under bun %s', (mode) => {
	it('brings its clients back to the new code each time, and leaves no connection to Redis behind', async () => {
		const redis = await startRedis();
		onTestFinished(() => redis.stop());
		const port = await freePort();
		const { edit, process } = startEdited(mode, serverCode(port, redis.port, 0));
		const client = new SocketClient(`ws://localhost:${port}/ws`, { reconnect: { minDelayMs: 20, maxDelayMs: 100 } });
		onTestFinished(() => client.close());
		const heard: unknown[] = [];
		const endings: number[] = [];
		client.onStateChange((_, { end }) => {
			if (end !== undefined) endings.push(end.code);
		});
		await until(() => process.output().includes('edit 0 listens'), { what: () => process.output() });
		await client.connect();
		await client.subscribe('news', { onMessage: (data) => void heard.push(data) });
		const hears = (version: number): Promise<void> =>
			until(() => heard.includes(`edit ${version}`), {
				what: () => `the client receives edit ${version}, not only ${heard.join()}; ${process.output()}`,
			});
		const connections = async (): Promise<number> =>
			String(await redis.command('CLIENT', 'LIST'))
				.trim()
				.split('\n').length;
		await hears(0);
		const before = await connections();

		for (let version = 1; version <= EDITS; version++) {
			edit(serverCode(port, redis.port, version));
			await hears(version);
		}
		await until(async () => (await connections()) === before, {
			what: `there are ${before} connections to Redis again`,
		});
		// With --watch, Bun replaces the process: connections end at once, without a close frame. Attempts to connect
		// that come too early fail with 1006, too.
		expect(endings.filter((code) => code !== 1006)).toEqual(Array(mode === '--hot' ? EDITS : 0).fill(1012));

		process.kill('SIGTERM');
		expect(await process.exited).toEqual({ code: 0, signal: null });
	});
});

function startEdited(mode: string, code: string) {
	runs = new SampleRuns();
	const file = join(runs.write({ 'main.ts': '' }), 'main.ts');
	editFile(file, code);
	const process = runs.start(file, { BUN_OPTIONS: mode });
	return { process, edit: (changed: string) => editFile(file, changed) };
}

/** A server that repeatedly sends its subscribers the number of its edit. */
function serverCode(port: number, redisPort: number, version: number): string {
	return `
		import { Application } from '@orijs/orijs';
		import { RedisWsProvider } from '@orijs/orijs/redis';
		import { SocketMessage } from '@orijs/orijs/client';
		import { z } from 'zod';

		const News = SocketMessage.define({ name: 'news', data: z.string() });
		const provider = new RedisWsProvider({ connection: { host: '127.0.0.1', port: ${redisPort} } });
		let timer;
		const app = new Application({ readinessDelayMs: 0 })
			.websocket(provider, { authorize: { subscribe: () => true } })
			.onShutdown(() => clearInterval(timer));
		await app.listen(${port});
		timer = setInterval(() => void app.socket.emit(News, 'news', 'edit ${version}'), 20);
		console.log('edit ${version} listens');
	`;
}
