import { connectClient, connectSpeaker, RecordingLogger, type TestClient, until } from '@orijs/testkit';
import { CloseCode, readRetryHint, SocketMessage } from '@orijs/websocket/protocol';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, type Limits, SocketRouter } from '../index.ts';
import { RateLimit, type RateLimits, type RateOutcome } from './rate-limit.ts';
import { serve } from '../test-support/serve.ts';
import { parse, sendTyped } from '../test-support/typed-client.ts';

const NO_STALLS = { recentMs: () => 0 };

/** Takes `count` messages at once, and returns how often each outcome occurred. */
function takes(rate: RateLimit, limits: RateLimits, count: number, bytes = 1): Record<RateOutcome, number> {
	const outcomes = { within: 0, over: 0, flood: 0 };
	for (let i = 0; i < count; i++) outcomes[rate.take({ byteLength: bytes }, limits, NO_STALLS)]++;
	return outcomes;
}

const elapse = (ms: number): Promise<void> => {
	const end = performance.now() + ms;
	return until(() => performance.now() >= end, { what: `${ms} ms have passed` });
};

// Rates so low that practically nothing is refilled during a test.
const LIMITS = { messagesPerSecond: 10, bytesPerSecond: 1_000 };

/** Blocks the event loop. */
function hang(ms: number): void {
	const end = performance.now() + ms;
	while (performance.now() < end);
}

const Echo = SocketMessage.define({ name: 'echo', data: z.number(), reply: z.number() });

describe('a client that stays within its rate while the process hangs', () => {
	it('is not refused what it has sent meanwhile, nor cut for that', async () => {
		const app = new Application({ logger: new RecordingLogger() })
			.websocket({ limits: { messagesPerSecond: 20 } })
			.socketRouter(new SocketRouter().on(Echo, ({ data }) => data));
		const client = await connectSpeaker((await serve(app)).ws);
		sendTyped(client, 'echo', 0, '0');
		await client.next();
		// As much as it may still send at once, and in the time of the stall.
		const count = 20 + 3 * 20;
		for (let i = 1; i < count; i++) sendTyped(client, 'echo', i, String(i));
		hang(3_100);

		const answers = (await client.received(count)).map((text) => parse(text).data);
		expect(answers).toEqual(Array.from({ length: count }, (_, i) => i));
		expect(app.refusals).toMatchObject({ rate: 0, flood: 0 });
	});
});

describe('the rate limit of a socket', () => {
	it('allows a second’s worth of messages at once, then reports over, then flood', () => {
		expect(takes(new RateLimit(LIMITS), LIMITS, 25)).toEqual({ within: 10, over: 10, flood: 5 });
	});

	it('counts additional charges, which alone never make a flood', () => {
		const rate = new RateLimit(LIMITS);
		takes(rate, LIMITS, 4);
		rate.charge(3);
		expect(takes(rate, LIMITS, 3)).toEqual({ within: 3, over: 0, flood: 0 });
		rate.charge(1_000);
		expect(takes(rate, LIMITS, 11)).toEqual({ within: 0, over: 10, flood: 1 });
		rate.charge(1_000);
		expect(takes(rate, LIMITS, 1)).toEqual({ within: 0, over: 0, flood: 1 });
	});

	it('refills only once charges beyond what was left are paid', async () => {
		const limits = { messagesPerSecond: 100, bytesPerSecond: Infinity };
		const rate = new RateLimit(limits);
		rate.charge(130);
		const begin = performance.now();
		await elapse(100);
		expect(takes(rate, limits, 1).within).toBe(0);
		await elapse(600);
		const { within } = takes(rate, limits, 100);
		const earned = (performance.now() - begin) / 10;
		expect(within).toBeGreaterThan(0);
		expect(within).toBeLessThanOrEqual(earned - 30);
	});

	it('allows a second’s worth of bytes at once, then reports over, then flood', () => {
		expect(takes(new RateLimit(LIMITS), LIMITS, 9, 250)).toEqual({ within: 4, over: 4, flood: 1 });
	});

	it('reports over as soon as either bucket is empty', () => {
		const limits = { messagesPerSecond: 10, bytesPerSecond: 100 };
		const rate = new RateLimit(limits);

		expect(takes(rate, limits, 5, 20)).toEqual({ within: 5, over: 0, flood: 0 });
		expect(rate.take({ byteLength: 20 }, limits, NO_STALLS)).toBe('over');
		expect(rate.take({ byteLength: 0 }, limits, NO_STALLS)).toBe('over');
	});

	it('allows one message that uses a full second’s bytes', () => {
		const rate = new RateLimit(LIMITS);

		expect([
			rate.take({ byteLength: 1_000 }, LIMITS, NO_STALLS),
			rate.take({ byteLength: 1 }, LIMITS, NO_STALLS),
		]).toEqual(['within', 'over']);
	});

	it('allows any rate with Infinity', () => {
		const unbounded = { messagesPerSecond: Infinity, bytesPerSecond: Infinity };

		const rate = new RateLimit(unbounded);
		rate.charge(1_000_000);
		expect(takes(rate, unbounded, 100_000, 1024 ** 3).within).toBe(100_000);
	});

	it('refills with a limit on bytes alone', async () => {
		const limits = { messagesPerSecond: Infinity, bytesPerSecond: 50_000 };
		const rate = new RateLimit(limits);
		takes(rate, limits, 60_000);
		await elapse(500);

		expect(rate.take({ byteLength: 1 }, limits, NO_STALLS)).toBe('within');
	});

	it('is never exceeded by a socket that sends exactly at the limit', async () => {
		const limits = { messagesPerSecond: 50, bytesPerSecond: 1_000 };
		const rate = new RateLimit(limits);
		takes(rate, limits, 50);
		for (let i = 0; i < 20; i++) {
			await elapse(21);
			expect([i, rate.take({ byteLength: 1 }, limits, NO_STALLS)]).toEqual([i, 'within']);
		}
	});

	it('refills over time, at exactly its rate', async () => {
		const limits = { messagesPerSecond: 1_000, bytesPerSecond: 1_000_000 };
		const rate = new RateLimit(limits);
		const begin = performance.now();
		expect(takes(rate, limits, 1_500).flood).toBe(0);
		await elapse(700);
		const { within } = takes(rate, limits, 1_000);

		expect(within).toBeGreaterThan(100);
		expect(within).toBeLessThanOrEqual(performance.now() - begin - 500);
	});

	it('refills to a second’s worth after a long silence, and not to more', async () => {
		const rate = new RateLimit(LIMITS);
		takes(rate, LIMITS, 15);
		await elapse(1_700);

		expect(takes(rate, LIMITS, 25)).toEqual({ within: 10, over: 10, flood: 5 });
	});

	it('allows a socket that was silent at first a second’s worth at once, and no more', async () => {
		const rate = new RateLimit(LIMITS);
		await elapse(1_100);

		expect(takes(rate, LIMITS, 25)).toEqual({ within: 10, over: 10, flood: 5 });
	});
});

describe('a client that sends typed messages too fast', () => {
	const Count = SocketMessage.define({ name: 'count', data: z.string(), reply: z.number() });

	async function counting(limits: Limits) {
		const handled: string[] = [];
		const router = new SocketRouter().on(Count, (ctx) => handled.push(ctx.data));
		const app = new Application({ logger: new RecordingLogger() }).websocket({ limits }).socketRouter(router);
		const { ws: url } = await serve(app);
		return { app, handled, url };
	}

	const ask = (client: TestClient, id: number, data = ''): void =>
		client.send(JSON.stringify({ type: 'count', data, correlationId: String(id) }));

	it('has the excess refused, and not handled', async () => {
		const { app, handled, url } = await counting({ messagesPerSecond: 10 });
		const client = await connectSpeaker(url);
		for (let id = 1; id <= 15; id++) ask(client, id);
		const answers = (await client.received(15)).map((text) => JSON.parse(String(text)) as unknown);

		const answered = Array.from({ length: 10 }, (_, i) => ({ type: 'count', correlationId: `${i + 1}`, data: i + 1 }));
		const error = { code: 'rate_limited', message: expect.any(String) as string };
		const refused = Array.from({ length: 5 }, (_, i) => ({ type: 'count', correlationId: `${i + 11}`, error }));
		expect(answers).toEqual([...answered, ...refused]);
		expect([handled.length, app.refusals.rate, app.refusals.flood]).toEqual([10, 5, 0]);
	});

	it('has its messages handled again after a while', async () => {
		const { url } = await counting({ messagesPerSecond: 20 });
		const client = await connectSpeaker(url);
		for (let id = 1; id <= 25; id++) ask(client, id);
		await client.received(25);

		await elapse(500);
		ask(client, 26);
		expect(JSON.parse(String((await client.received(26))[25]))).toMatchObject({ correlationId: '26', data: 21 });
	});

	it('is closed with 4429 and a retry hint if it continues, and counted once', async () => {
		const { app, handled, url } = await counting({ messagesPerSecond: 10 });
		const client = await connectSpeaker(url);
		for (let id = 1; id <= 40; id++) ask(client, id);
		const { code, reason } = await client.closed;

		expect(code).toBe(CloseCode.tooManyMessages);
		expect(readRetryHint(reason)).toBeGreaterThanOrEqual(500);
		expect(readRetryHint(reason)).toBeLessThanOrEqual(1_500);
		expect([handled.length, app.refusals.rate, app.refusals.flood]).toEqual([10, 10, 1]);
	});

	it('is limited in bytes as well, counted as UTF-8', async () => {
		const { app, handled, url } = await counting({ messageBytes: 1_500, bytesPerSecond: 10_000 });
		for (const [character, bytes] of [
			['x', 1],
			['€', 3],
		] as const) {
			handled.length = 0;
			const client = await connectSpeaker(url);
			// A little more than 900 bytes with the envelope.
			for (let id = 1; id <= 15; id++) ask(client, id, character.repeat(900 / bytes));
			await client.received(15);
			expect([character, handled.length]).toEqual([character, 10]);
		}
		expect(app.refusals.rate).toBe(10);
	});

	it('does not affect others: they get their answers', async () => {
		const { app, url } = await counting({ messagesPerSecond: 50 });
		const good = await connectSpeaker(url);
		const floods = await Promise.all(Array.from({ length: 5 }, () => connectSpeaker(url)));
		for (let id = 1; id <= 30; id++) {
			for (const flood of floods) for (let i = 0; i < 10; i++) ask(flood, i);
			ask(good, id);
			await good.next((text) => String(text).includes(`"correlationId":"${id}","data"`));
		}

		for (const { closed } of floods) expect((await closed).code).toBe(CloseCode.tooManyMessages);
		expect(app.refusals.flood).toBe(5);
	});
});

describe('a client that sends raw messages too fast', () => {
	it('has no message dropped until it is closed with 4429', async () => {
		const app = new Application({ logger: new RecordingLogger() })
			.websocket({ limits: { messagesPerSecond: 10 } })
			.onWebSocket({ message: (ws, text) => void ws.send(text) });
		const { ws: url } = await serve(app);
		const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));

		const hasty = await connectClient(url);
		for (const number of numbers(20)) hasty.send(number);
		expect(await hasty.received(20)).toEqual(numbers(20));

		const flooding = await connectClient(url);
		for (const number of numbers(30)) flooding.send(number);
		expect((await flooding.closed).code).toBe(CloseCode.tooManyMessages);
		expect(flooding.messages).toEqual(numbers(20));
		expect([app.refusals.rate, app.refusals.flood]).toEqual([0, 1]);
	});
});
