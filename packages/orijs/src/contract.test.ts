import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ScriptProcess, connectClient, spawnBun, until } from '@orijs/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

/** Runs the samples of the public README, each pasted into a file as a user would do it, and in its own process. */
describe("the samples in @orijs/websocket's README", () => {
	let folder: string;
	const running: ScriptProcess[] = [];

	beforeAll(() => {
		// Inside the package, so that imports resolve as they do in a user's project.
		const scratch = fileURLToPath(new URL('../node_modules/.contract', import.meta.url));
		mkdirSync(scratch, { recursive: true });
		folder = mkdtempSync(join(scratch, 'run-'));
	});
	afterEach(async () => {
		await Promise.all(running.splice(0).map((child) => child.stop()));
	});
	afterAll(() => rmSync(folder, { recursive: true }));

	function run(name: string, ...parts: string[]): ScriptProcess {
		const file = join(folder, `${name}.ts`);
		writeFileSync(file, parts.join('\n'));
		const child = spawnBun(file);
		running.push(child);
		return child;
	}

	const remote = `
		import { answerRequests } from '@orijs/testkit';
		answerRequests((code) => new Function('scope', 'with (scope) { return (' + code + ') }')({ server, provider, coordinator }));
	`;

	it.each([
		['as printed', () => sample("import { Application } from '@orijs/core'")],
		['typed', () => sample('Bun.serve<SocketData>')],
		['with start() before setServer()', () => withStartFirst(sample("import { Application } from '@orijs/core'"))],
	])('quick start, %s: send, broadcast, isConnected and the counts work', async (name, code) => {
		const child = run(`quick-start-${name.replaceAll(' ', '-')}`, code().replace('port: 3000', 'port: 0'), remote);
		const evaluate = <T>(expression: string): Promise<T> => child.request<T>(expression);
		const url = `ws://localhost:${await evaluate<number>('server.port')}`;
		expect(await (await fetch(url.replace('ws', 'http'))).text()).toBe('Hello');

		const ids = '[...provider.getConnections()].map((ws) => ws.data.socketId)';
		const first = await connectClient(url);
		const [id] = (await evaluate<string[]>(ids)) as [string];
		const second = await connectClient(url);
		expect(await evaluate('coordinator.getConnectionCount()')).toBe(2);
		expect(await evaluate(`provider.isConnected('${id}')`)).toBe(true);

		await evaluate(`provider.send('${id}', 'for the first')`);
		await evaluate(`coordinator.subscribeToTopic('${id}', 'chat:room-123')`);
		await evaluate(`provider.publish('chat:room-123', 'for the room')`);
		await evaluate(`provider.broadcast('for all')`);
		expect(await first.received(3)).toEqual(['for the first', 'for the room', 'for all']);
		expect(await second.received(1)).toEqual(['for all']);

		await first.close();
		await until(async () => !(await evaluate<boolean>(`provider.isConnected('${id}')`)), {
			what: 'the first connection is closed',
		});
		expect(await evaluate(`provider.getTopicSubscriberCount('chat:room-123')`)).toBe(0);
		await second.close();
		await until(async () => (await evaluate('provider.getConnectionCount()')) === 0, { what: 'no connection is left' });
		expect(child.output()).toBe('');
	});

	it('coordinator calls run', async () => {
		const setUp = `
			import { InProcWsProvider, SocketCoordinator } from '@orijs/websocket';
			import { report } from '@orijs/testkit';
			interface UserData { name: string }
			const provider = new InProcWsProvider();
			await provider.start();
			const socketId = crypto.randomUUID();
			const server = Bun.serve({
				port: 0,
				fetch: (req, server) => void server.upgrade(req, { data: { socketId, data: { name: 'Ada' }, topics: new Set() } }),
				websocket: {
					open(ws) {
		`;
		const reportResult = `
						void report({ subscribers: coordinator.getTopicSubscribers('chat:room-123').size, count: coordinator.getConnectionCount() });
					},
					message() {},
				},
			});
			provider.setServer(server);
			void report(server.port);
		`;
		const child = run(
			'coordinator',
			setUp,
			sample('coordinator.addConnection(ws);\ncoordinator.removeConnection'),
			reportResult,
		);
		await until(() => child.reports.length > 0, { what: 'the server runs' });
		const client = await connectClient(`ws://localhost:${String(child.reports[0])}`);
		await until(() => child.reports.length > 1, { what: 'the calls were made' });
		expect(child.reports[1]).toEqual({ subscribers: 0, count: 0 });
		// The sample's calls after removeConnection() concern a socket that has left, which is not a fault.
		expect(child.output()).not.toContain('UnknownSocketError');
		await client.close();
	});

	it('provider calls run', async () => {
		const setUp = `
			import { InProcWsProvider } from '@orijs/websocket';
			import { report } from '@orijs/testkit';
			const logger = console;
			const socketId = crypto.randomUUID();
		`;
		const child = run('provider', setUp, sample('new InProcWsProvider({ logger })'), `await report('done');`);
		expect(await child.exited).toEqual({ code: 0, signal: null });
		expect(child.reports).toEqual(['done']);
		// The sample publishes after stop(). This is rejected and logged, but harmless.
		expect(child.output()).toContain('ProviderStoppedError');
	});
});

/** Returns the README's code block that contains `marker`. */
function sample(marker: string): string {
	const readme = readFileSync(new URL('../../websocket/README.md', import.meta.url), 'utf8');
	const found = [...readme.matchAll(/```typescript\n(.*?)```/gs)]
		.map(([, code]) => code)
		.find((code) => code?.includes(marker));
	if (found === undefined) throw new Error(`no sample in the README contains ${marker}`);
	return found;
}

function withStartFirst(code: string): string {
	const swapped = code.replace(/(provider\.setServer\(server\);)\s+(await provider\.start\(\);)/, '$2\n$1');
	if (swapped === code) throw new Error('the sample has no setServer() followed by start()');
	return swapped;
}
