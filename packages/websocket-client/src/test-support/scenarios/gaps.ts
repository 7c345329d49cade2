import { strict as assert } from 'node:assert';
import type { GapNotice } from '../../index.ts';
import { eventually, failuresOf, readyClient, untilState } from '../play.ts';
import type { Scenario, Stage } from '../stage.ts';

interface Ledger {
	readonly heard: number[];
	readonly gaps: GapNotice[];
}

/** Loses a connection that numbered messages come over all the time, and looks at what was said of those that did not come. */
async function losing(stage: Stage, lose: (stage: Stage) => Promise<void>): Promise<void> {
	await stage.serve();
	const client = await readyClient(stage, { heartbeat: { intervalMs: 50, timeoutMs: 200 } });
	const ledgers = new Map<string, Ledger>();
	for (const topic of ['busy', 'idle']) {
		const ledger: Ledger = { heard: [], gaps: [] };
		ledgers.set(topic, ledger);
		await client.subscribe(topic, {
			onMessage: (data) => ledger.heard.push((data as { n: number }).n),
			onGap: (gap) => ledger.gaps.push(gap),
		});
	}
	const all: GapNotice[] = [];
	client.onGap((gap) => all.push(gap));
	const { heard, gaps } = ledgers.get('busy') as Ledger;

	await stage.publishSteadily('busy');
	await eventually(() => heard.length > 50, 'messages come');
	let isBack = false;
	client.onStateChange((state) => (isBack ||= state === 'ready'));
	await lose(stage);
	await eventually(() => isBack && gaps.length > 0, 'it is back');
	const seen = heard.length;
	await eventually(() => heard.length > seen + 50, 'messages come again');
	const published = await stage.published();
	const last = published.at(-1)?.n;
	await eventually(() => heard.at(-1) === last, 'the last has come');

	const [gap] = gaps;
	assert.ok(gap !== undefined);
	const missing = published.filter(({ n }) => !heard.includes(n));
	assert.ok(missing.length > 0, 'something was lost, or this shows nothing');
	for (const { n, at } of missing) {
		assert.ok(at >= gap.since && at <= gap.until, `${n}, published at ${at}, is not in ${gap.since} to ${gap.until}`);
	}
	assert.equal(new Set(heard).size, heard.length, 'nothing came twice');
	assert.deepEqual(
		heard,
		heard.toSorted((a, b) => a - b),
	);
	assert.deepEqual(all.map(({ topic }) => topic).toSorted(), ['*', 'busy', 'idle']);
	assert.deepEqual(ledgers.get('idle')?.gaps.length, 1);
	assert.ok(gap.until - gap.since < 5_000, `the span is ${gap.until - gap.since} ms long`);
}

export const gaps: Record<string, Scenario> = {
	'a notice of the server reaches the subscription and the client': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const heard: [string, GapNotice][] = [];
		await client.subscribe('lost', { onGap: (gap) => heard.push(['subscription', gap]) });
		await client.subscribe('fine', { onGap: (gap) => heard.push(['another', gap]) });
		const undo = client.onGap((gap) => heard.push(['client', gap]));
		const before = Date.now();
		await stage.interrupt(['lost'], before - 50);
		await eventually(() => heard.length >= 2, 'both have heard it');
		assert.deepEqual(heard.map(([who]) => who).toSorted(), ['client', 'subscription']);
		for (const [, { topic, since, until }] of heard) {
			assert.deepEqual([topic, since], ['lost', before - 50]);
			assert.ok(until >= before - 5);
		}

		undo();
		await stage.interrupt('all', before);
		await eventually(() => heard.length >= 4, 'both subscriptions have heard it');
		assert.deepEqual(
			heard
				.slice(2)
				.map(([who]) => who)
				.toSorted(),
			['another', 'subscription'],
		);
	},

	'what is sent to sockets themselves has the topic *': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const topics: string[] = [];
		client.onGap(({ topic }) => topics.push(topic));
		await stage.interrupt('all', 1_000);
		await eventually(() => topics.length > 0, 'it is told');
		assert.deepEqual(topics, ['*']);
	},

	'a first connection has no gap': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		client.onGap((gap) => assert.fail(JSON.stringify(gap)));
		await client.subscribe('t', { onGap: (gap) => assert.fail(JSON.stringify(gap)) });
		await client.subscribe('marker');
	},

	'a lost link: what did not come lies in one gap, all else came once': (stage) =>
		losing(stage, () => stage.link('cut')),

	'a frozen link: what did not come lies in one gap, all else came once': (stage) =>
		losing(stage, async () => {
			await stage.link('freeze');
			await new Promise((resolve) => setTimeout(resolve, 600));
			await stage.link('cut');
			await stage.link('thaw');
		}),

	'a killed server: what did not come lies in one gap, all else came once': (stage) =>
		losing(stage, async () => {
			await stage.kill();
			await new Promise((resolve) => setTimeout(resolve, 100));
			await stage.serve();
		}),

	'a stopped server: what did not come lies in one gap, all else came once': (stage) =>
		losing(stage, async () => {
			await stage.stop();
			await new Promise((resolve) => setTimeout(resolve, 50));
			await stage.serve();
		}),

	'a connection that is lost again before its topics are back: one gap from the first loss on': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const failures = failuresOf(client);
		const gaps: GapNotice[] = [];
		await client.subscribe('t', { onGap: (gap) => gaps.push(gap) });
		const lostAt = Date.now();
		await stage.breakBackend(true);
		for (let i = 0; i < 2; i++) {
			await stage.kill();
			await untilState(client, 'waiting');
			await stage.serve();
			await client.connect();
		}
		await stage.breakBackend(false);
		await eventually(() => gaps.length > 0, 'it is back');
		assert.equal(gaps.length, 1);
		assert.ok((gaps[0]?.since ?? Infinity) <= lostAt);
		assert.ok((gaps[0]?.until ?? 0) >= lostAt);
		assert.ok(failures.every(([where]) => where === 'subscribe'));
	},

	'close() and connect() leave a gap as well': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const gaps: GapNotice[] = [];
		client.onGap((gap) => gaps.push(gap));
		await client.subscribe('t');
		await client.close();
		const closedAt = Date.now();
		await client.connect();
		await eventually(() => gaps.length === 2, 'both are told');
		assert.deepEqual(gaps.map(({ topic }) => topic).toSorted(), ['*', 't']);
		for (const { since, until } of gaps) assert.ok(since <= closedAt && until >= closedAt);
	},
};
