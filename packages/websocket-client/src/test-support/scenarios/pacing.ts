import { strict as assert } from 'node:assert';
import type { SocketClient, UnsentMessageError } from '../../index.ts';
import { eventually } from '../assertions.ts';
import { handledTexts, untilTextsHandled } from '../handled-messages.ts';
import { Anything, Say } from '../messages.ts';
import { failuresOf, newClient, readyClient } from '../run-scenario.ts';
import type { Scenario, TestServer } from '../test-server.ts';

const texts = (count: number): string[] => Array.from({ length: count }, (_, i) => `text ${i}`);
const topics = (count: number): string[] => Array.from({ length: count }, (_, i) => `topic:${i}`);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Sends all at once. Resolves with how many were sent, and the codes of the errors of the others. */
async function sendAll(client: SocketClient, all: readonly string[]): Promise<{ sent: number; codes: Set<unknown> }> {
	const outcomes = await Promise.allSettled(all.map((text) => client.send(Say, { text })));
	const failed = outcomes.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
	return {
		sent: all.length - failed.length,
		codes: new Set(failed.map(({ reason }) => (reason as { code: unknown }).code)),
	};
}

/** Checks that the client has never lost its connection. Every scenario checks that nothing was refused. */
async function assertNeverCut(client: SocketClient, server: TestServer): Promise<void> {
	assert.equal(client.state, 'ready');
	assert.equal(await server.accepted(), 1);
}

/** The frames that a raw server has received, without the client's own. */
async function sentTo(server: TestServer): Promise<{ type: string; data: { topics: string[] } }[]> {
	const frames = (await server.received()).map(
		({ text }) => JSON.parse(text) as { type: string; data: { topics: string[] } },
	);
	return frames.filter(({ type }) => type !== '@auth' && type !== '@ping');
}

export const pacing: Record<string, Scenario> = {
	'200 messages that are sent at once all arrive, in order': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		assert.equal((await sendAll(client, texts(200))).sent, 200);
		await untilTextsHandled(server, 200);
		assert.deepEqual(await handledTexts(server), texts(200));
		await assertNeverCut(client, server);
	},

	'of 5,000 messages that are sent at once, those that the queue has room for arrive': async (server) => {
		await server.serve({ messagesPerSecond: 1_000 });
		const client = await readyClient(server);
		const errors = failuresOf(client);
		const { sent, codes } = await sendAll(client, texts(5_000));
		assert.ok(sent >= 1_800 && sent <= 2_500, `${sent} were sent`);
		assert.deepEqual([...codes], ['queue_full']);
		assert.equal(errors.length, 5_000 - sent);
		await untilTextsHandled(server, sent);
		assert.deepEqual(await handledTexts(server), texts(sent));
		await assertNeverCut(client, server);
	},

	'requests are paced as well': async (server) => {
		await server.serve({ messagesPerSecond: 40 });
		const client = await readyClient(server);
		const answers = await Promise.all(texts(100).map((text) => client.request(Anything, text)));
		assert.deepEqual(answers, texts(100));
		await assertNeverCut(client, server);
	},

	'a message that must wait for the rate is refused if it may not': async (server) => {
		await server.serve({ messagesPerSecond: 40 });
		const client = await readyClient(server);
		const sent = texts(60).map((text) => client.send(Say, { text }, { queue: false }));
		const codes = (await Promise.allSettled(sent)).map((outcome) =>
			outcome.status === 'fulfilled' ? 'sent' : (outcome.reason as UnsentMessageError).code,
		);
		assert.ok(codes.filter((code) => code === 'sent').length >= 30);
		assert.ok(codes.slice(40).every((code) => code === 'not_ready'));
		await assertNeverCut(client, server);
	},

	'of a pointer that moves 144 times a second, the newest positions arrive': async (server) => {
		await server.serve({ messagesPerSecond: 50 });
		const client = await readyClient(server);
		const sent: Promise<string>[] = [];
		const end = performance.now() + 3_000;
		const code = (error: unknown): string => (error as UnsentMessageError).code;
		for (let n = 0; performance.now() < end; n++) {
			sent.push(client.send(Say, { text: String(n) }, { latest: 'pointer' }).then(() => 'sent', code));
			await pause(1_000 / 144);
		}
		const outcomes = await Promise.all(sent);
		const arrived = outcomes.flatMap((outcome, n) => (outcome === 'sent' ? [String(n)] : []));
		assert.deepEqual(new Set(outcomes), new Set(['sent', 'replaced']));
		assert.equal(outcomes.at(-1), 'sent');
		assert.ok(arrived.length <= 50 + 3 * 50, `${arrived.length} were sent`);
		await untilTextsHandled(server, arrived.length);
		assert.deepEqual(await handledTexts(server), arrived);
		await assertNeverCut(client, server);
	},

	'the newest message under a key takes the place of the one that it replaces': async (server) => {
		const client = newClient(server);
		const send = (text: string, latest?: string): Promise<string> =>
			client.send(Say, { text }, latest === undefined ? {} : { latest }).then(
				() => 'sent',
				(error: UnsentMessageError) => error.code,
			);
		const outcomes = [send('a1', 'a'), send('b1', ''), send('other'), send('a2', 'a'), send('b2', ''), send('a3', 'a')];
		await server.serve();
		await client.connect();
		assert.deepEqual(await Promise.all(outcomes), ['replaced', 'replaced', 'sent', 'replaced', 'sent', 'sent']);
		await untilTextsHandled(server, 3);
		assert.deepEqual(await handledTexts(server), ['a3', 'b2', 'other']);
	},

	'the bytes per second of the server are kept': async (server) => {
		await server.serve({ messageBytes: 10_000, bytesPerSecond: 40_000 });
		const client = await readyClient(server);
		// Two bytes per character, so about 120,000 bytes.
		const all = texts(20).map((text) => `${text} ${'é'.repeat(3_000)}`);
		assert.equal((await sendAll(client, all)).sent, 20);
		await untilTextsHandled(server, 20);
		await assertNeverCut(client, server);
	},

	'a message that takes all of a second’s bytes gets through': async (server) => {
		await server.serve({ messageBytes: 20_000, bytesPerSecond: 20_000 });
		const client = await readyClient(server);
		const all = ['small', 'x'.repeat(19_900), 'y'.repeat(19_900), 'z'];
		assert.equal((await sendAll(client, all)).sent, 4);
		await untilTextsHandled(server, 4);
		assert.deepEqual(await handledTexts(server), all);
		await assertNeverCut(client, server);
	},

	'what the network has held back arrives at once, and stays within the rate': async (server) => {
		await server.serve({ messagesPerSecond: 50 });
		const client = await readyClient(server);
		const sent = sendAll(client, texts(300));
		await untilTextsHandled(server, 60);
		await server.network('freeze');
		await pause(3_000);
		await server.network('thaw');
		assert.equal((await sent).sent, 300);
		await untilTextsHandled(server, 300);
		assert.deepEqual(await handledTexts(server), texts(300));
		await assertNeverCut(client, server);
	},

	'a server that is slow to handle messages is not sent too many': async (server) => {
		await server.serve({ messagesPerSecond: 50, handlingMs: 20 });
		const client = await readyClient(server);
		assert.equal((await sendAll(client, texts(200))).sent, 200);
		await untilTextsHandled(server, 200);
		await assertNeverCut(client, server);
	},

	'many topics are subscribed to at a low rate': async (server) => {
		await server.serve({ messagesPerSecond: 2, topicsPerSocket: 1_000 });
		const client = await readyClient(server);
		await Promise.all(topics(60).map((topic) => client.subscribe(topic)));
		const subscriptions = await Promise.all(topics(60).map((topic) => client.subscribe(topic)));
		for (const subscription of subscriptions) void subscription.close();
		await Promise.all(
			topics(120)
				.slice(60)
				.map((topic) => client.subscribe(topic)),
		);
		await assertNeverCut(client, server);
	},

	'no request for topics counts as more than the server allows at once': async (server) => {
		await server.serveRaw({ limits: { messagesPerSecond: 5 } });
		const client = await readyClient(server);
		await Promise.all(topics(60).map((topic) => client.subscribe(topic)));
		const sizes = (await server.received())
			.map(({ text }) => JSON.parse(text) as { type: string; data: { topics: string[] } })
			.filter(({ type }) => type === '@subscribe')
			.map(({ data }) => data.topics.length);
		assert.deepEqual(sizes, [30, 30]);
	},

	'after a reconnect, topics come first, and then share the rate with messages that wait': async (server) => {
		await server.serve({ topicsPerSocket: 2_000 });
		const client = await readyClient(server);
		await Promise.all(topics(1_000).map((topic) => client.subscribe(topic)));
		await server.kill();
		await eventually(() => client.state !== 'ready', 'the connection is lost');
		const sent = sendAll(client, texts(20));
		await server.serveRaw({ limits: { messagesPerSecond: 40 } });
		assert.equal((await sent).sent, 20);
		await eventually(
			async () => (await sentTo(server)).filter(({ type }) => type === '@subscribe').length >= 10,
			'all topics are requested',
		);

		const order = (await sentTo(server)).map(({ type }) => (type === '@subscribe' ? 'T' : 'm')).join('');
		// 35 messages are allowed at once: three requests of 100 topics, each of which counts as ten.
		assert.match(order, /^TTT/);
		assert.match(order, /^T+m{10}T+m{10}T+$/);
	},
};
