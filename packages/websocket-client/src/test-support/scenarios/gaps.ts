import { strict as assert } from 'node:assert';
import type { GapNotice } from '../../index.ts';
import { eventually, untilState } from '../assertions.ts';
import { failuresOf, readyClient } from '../run-scenario.ts';
import type { Scenario, TestServer } from '../test-server.ts';

interface Ledger {
	readonly received: number[];
	readonly gaps: GapNotice[];
}

/**
 * Loses a connection on which numbered messages arrive steadily, and expects one gap that covers all missing messages.
 */
async function losing(server: TestServer, lose: (server: TestServer) => Promise<void>): Promise<void> {
	await server.serve();
	const client = await readyClient(server, { heartbeat: { intervalMs: 50, timeoutMs: 200 } });
	const ledgers = new Map<string, Ledger>();
	for (const topic of ['busy', 'idle']) {
		const ledger: Ledger = { received: [], gaps: [] };
		ledgers.set(topic, ledger);
		await client.subscribe(topic, {
			onMessage: (data) => ledger.received.push((data as { n: number }).n),
			onGap: (gap) => ledger.gaps.push(gap),
		});
	}
	const all: GapNotice[] = [];
	client.onGap((gap) => all.push(gap));
	const { received, gaps } = ledgers.get('busy') as Ledger;

	await server.publishSteadily('busy');
	await eventually(() => received.length > 50, 'messages arrive');
	let isReady = false;
	client.onStateChange((state) => (isReady ||= state === 'ready'));
	await lose(server);
	await eventually(() => isReady && gaps.length > 0, 'the client has reconnected');
	const seen = received.length;
	await eventually(() => received.length > seen + 50, 'messages arrive again');
	const published = await server.stopPublishing();
	const last = published.at(-1)?.n;
	await eventually(() => received.at(-1) === last, 'the last message has arrived');

	const [gap] = gaps;
	assert.ok(gap !== undefined);
	const missing = published.filter(({ n }) => !received.includes(n));
	assert.ok(missing.length > 0, 'the test needs lost messages');
	for (const { n, at } of missing) {
		assert.ok(at >= gap.since && at <= gap.until, `${n}, published at ${at}, is not in ${gap.since} to ${gap.until}`);
	}
	assert.equal(new Set(received).size, received.length, 'no message arrived twice');
	assert.deepEqual(
		received,
		received.toSorted((a, b) => a - b),
	);
	assert.deepEqual(all.map(({ topic }) => topic).toSorted(), ['*', 'busy', 'idle']);
	assert.deepEqual(ledgers.get('idle')?.gaps.length, 1);
	assert.ok(gap.until - gap.since < 5_000, `the span is ${gap.until - gap.since} ms long`);
}

export const gaps: Record<string, Scenario> = {
	'a gap is told again, wider, if the server learns of other clocks later': async (server) => {
		const HOUR = 3_600_000;
		await server.serveRaw({ clocks: { behindMs: HOUR, aheadMs: 2 * HOUR } });
		const client = await readyClient(server);
		const told: GapNotice[] = [];
		await client.subscribe('t', { onGap: (gap) => told.push(gap) });
		await server.closeConnections(1011);
		await eventually(() => told.length === 1, 'the gap is told');
		await client.ping();
		const [first, second] = told as [GapNotice, GapNotice];
		assert.deepEqual(second, { topic: 't', since: first.since - HOUR, until: first.until + 2 * HOUR });
		await client.ping();
		assert.equal(told.length, 2);
	},

	'a gap notice of the server reaches the subscription and the client': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const received: [string, GapNotice][] = [];
		await client.subscribe('lost', { onGap: (gap) => received.push(['subscription', gap]) });
		await client.subscribe('fine', { onGap: (gap) => received.push(['another', gap]) });
		const undo = client.onGap((gap) => received.push(['client', gap]));
		const before = Date.now();
		await server.interrupt(['lost'], before - 50);
		await eventually(() => received.length >= 2, 'both have received it');
		assert.deepEqual(received.map(([who]) => who).toSorted(), ['client', 'subscription']);
		for (const [, { topic, since, until }] of received) {
			assert.equal(topic, 'lost');
			// A message may have been published up to half a heartbeat interval before the backend received it.
			assert.ok(since <= before - 50 && since >= before - 50 - 250, `since ${since - before} ms`);
			assert.ok(until >= before - 5);
		}

		undo();
		await server.interrupt('all', before);
		await eventually(() => received.length >= 4, 'both subscriptions have received it');
		assert.deepEqual(
			received
				.slice(2)
				.map(([who]) => who)
				.toSorted(),
			['another', 'subscription'],
		);
	},

	'gaps in messages to the client itself have the topic *': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const topics: string[] = [];
		client.onGap(({ topic }) => topics.push(topic));
		await server.interrupt('all', 1_000);
		await eventually(() => topics.length > 0, 'the gap is reported');
		assert.deepEqual(topics, ['*']);
	},

	'a first connection has no gap': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		client.onGap((gap) => assert.fail(JSON.stringify(gap)));
		await client.subscribe('t', { onGap: (gap) => assert.fail(JSON.stringify(gap)) });
		await client.subscribe('marker');
	},

	'network cut: missing messages are within one gap, all others arrived once': (server) =>
		losing(server, () => server.network('cut')),

	'network frozen: missing messages are within one gap, all others arrived once': (server) =>
		losing(server, async () => {
			await server.network('freeze');
			await new Promise((resolve) => setTimeout(resolve, 600));
			await server.network('cut');
			await server.network('thaw');
		}),

	'server killed: missing messages are within one gap, all others arrived once': (server) =>
		losing(server, async () => {
			await server.kill();
			await new Promise((resolve) => setTimeout(resolve, 100));
			await server.serve();
		}),

	'server stopped: missing messages are within one gap, all others arrived once': (server) =>
		losing(server, async () => {
			await server.stop();
			await new Promise((resolve) => setTimeout(resolve, 50));
			await server.serve();
		}),

	'a connection lost again before resubscribing leaves one gap, from the first loss': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const failures = failuresOf(client);
		const gaps: GapNotice[] = [];
		await client.subscribe('t', { onGap: (gap) => gaps.push(gap) });
		const lostAt = Date.now();
		await server.breakBackend(true);
		for (let i = 0; i < 2; i++) {
			await server.kill();
			await untilState(client, 'waiting');
			await server.serve();
			await client.connect();
		}
		await server.breakBackend(false);
		await eventually(() => gaps.length > 0, 'the client has reconnected');
		assert.equal(gaps.length, 1);
		assert.ok((gaps[0]?.since ?? Infinity) <= lostAt);
		assert.ok((gaps[0]?.until ?? 0) >= lostAt);
		assert.ok(failures.every(([where]) => where === 'subscribe'));
	},

	'close() and connect() leave a gap as well': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const gaps: GapNotice[] = [];
		client.onGap((gap) => gaps.push(gap));
		await client.subscribe('t');
		await client.close();
		const closedAt = Date.now();
		await client.connect();
		await eventually(() => gaps.length === 2, 'both gaps are reported');
		assert.deepEqual(gaps.map(({ topic }) => topic).toSorted(), ['*', 't']);
		for (const { since, until } of gaps) assert.ok(since <= closedAt && until >= closedAt);
	},
};
