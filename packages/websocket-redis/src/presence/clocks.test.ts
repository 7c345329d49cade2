import {
	connectClient,
	fakeClock,
	type ScriptProcess,
	spawnBun,
	startRedis,
	type TestClient,
	until,
} from '@orijs/testkit';
import { expect, it, onTestFinished } from 'vitest';
import type { PresenceReport } from '../test-support/presence-child.ts';

const SCRIPT = new URL('../test-support/presence-child.ts', import.meta.url);
const MINUTE_MS = 60_000;
const LEAVE_DELAY_MS = 1_500;
/** How soon an expired lease of a killed node is swept, as `docs/who-is-here.md` says. */
const KILLED_MS = 15_000;

class Node {
	readonly process: ScriptProcess;
	port = 0;

	constructor(redisPort: number, aheadMs: number) {
		const clock = fakeClock(aheadMs);
		const env = { REDIS_URL: `redis://localhost:${redisPort}`, LEAVE_DELAY_MS: String(LEAVE_DELAY_MS) };
		this.process = spawnBun(SCRIPT, { env: { ...clock.env, ...env } });
		onTestFinished(async () => {
			await this.process.stop(0);
			clock.remove();
		});
	}

	report(): Promise<PresenceReport> {
		return this.process.request<PresenceReport>({});
	}

	async connect(user: string): Promise<TestClient> {
		this.port ||= (await this.report()).port;
		return connectClient(`ws://localhost:${this.port}/?user=${user}`);
	}
}

async function untilAllSee(nodes: readonly Node[], users: readonly string[], timeoutMs = 5_000): Promise<void> {
	let seen: unknown;
	const wanted = nodes.map(() => users.map((user) => `user:${user}`));
	await until(
		async () => {
			const reports = await Promise.all(nodes.map((node) => node.report()));
			return Bun.deepEquals((seen = reports.map(({ members }) => members.map(({ key }) => key))), wanted);
		},
		{ what: () => `all see ${users.join()}, not ${JSON.stringify(seen)}`, timeoutMs },
	);
}

it('nodes whose clocks are twenty minutes apart see the same members, since the same time, and no one flaps', async () => {
	const redis = await startRedis();
	onTestFinished(() => redis.stop());
	const ahead = new Node(redis.port, 10 * MINUTE_MS);
	const behind = new Node(redis.port, -10 * MINUTE_MS);
	const right = new Node(redis.port, 0);
	const nodes = [ahead, behind, right];
	await untilAllSee(nodes, []);
	const began = Date.now();
	const ann = await ahead.connect('ann');
	const bob = await behind.connect('bob');
	const cid = await right.connect('cid');
	await behind.connect('dan');
	await untilAllSee(nodes, ['ann', 'bob', 'cid', 'dan']);
	const reports = await Promise.all(nodes.map((node) => node.report()));
	expect(reports.map(({ now }) => (now - Date.now()) / MINUTE_MS)).toEqual([
		expect.closeTo(10, 0),
		expect.closeTo(-10, 0),
		expect.closeTo(0, 0),
	]);
	for (const since of reports.flatMap((report) => report.since)) {
		expect(since).toBeGreaterThanOrEqual(began - 1_000);
		expect(since).toBeLessThanOrEqual(Date.now() + 1_000);
	}
	const times = reports.map(({ members }) => members.map(({ since }) => since));
	for (const [i, since] of (times[2] as number[]).entries()) {
		for (const ofNode of times) expect(Math.abs((ofNode[i] as number) - since)).toBeLessThanOrEqual(1_000);
	}

	// Who comes back within the delay, on any node, has never been away. Who does not has left by then.
	await ann.close();
	await bob.close();
	const left = performance.now();
	await behind.connect('ann');
	await untilAllSee(nodes, ['ann', 'cid', 'dan']);
	expect(performance.now() - left).toBeGreaterThan(LEAVE_DELAY_MS - 100);
	expect(performance.now() - left).toBeLessThan(LEAVE_DELAY_MS + 2_000);

	// A node that stops leaves its members their delay. Leases hold meanwhile, and expire in time.
	await ahead.connect('eve');
	await untilAllSee(nodes, ['ann', 'cid', 'dan', 'eve']);
	ahead.process.kill('SIGTERM');
	await ahead.process.exited;
	const stopped = performance.now();
	await untilAllSee([behind, right], ['ann', 'cid', 'dan']);
	expect(performance.now() - stopped).toBeLessThan(LEAVE_DELAY_MS + 2_500);
	behind.process.kill();
	await behind.process.exited;
	const killed = performance.now();
	await untilAllSee([right], ['cid'], KILLED_MS);
	expect(performance.now() - killed).toBeGreaterThan(5_000);

	const { changes } = await right.report();
	expect(changes.toSorted()).toEqual(
		['ann', 'bob', 'cid', 'dan', 'eve']
			.map((user) => `joined user:${user}`)
			.concat(['ann', 'bob', 'dan', 'eve'].map((user) => `left user:${user}`)),
	);
	await cid.close();
}, 60_000);
