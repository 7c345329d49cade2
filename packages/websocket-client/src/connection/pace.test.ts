import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { deferred } from '../support/promises.ts';
import { Pace } from './pace.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

interface Rates {
	readonly messagesPerSecond: number;
	readonly bytesPerSecond: number;
}

const BYTES = 100;
const PING_BYTES = 45;
const STEP_MS = 10;
const NO_DELAY = (): number => 0;

/**
 * Sends as much as the pace allows for some seconds, to a server with token buckets, over a network that delays
 * everything by `delayAt(time)`, but keeps the order.
 *
 * @returns how many messages were sent, and the least that was left in a bucket of the server's
 */
async function sendFor(seconds: number, rates: Rates, delayAt: (ms: number) => number, bytes = BYTES) {
	const { messagesPerSecond, bytesPerSecond } = rates;
	const onTheWay: { arrivesAt: number; bytes: number; arrived: () => void }[] = [];
	const left = { messages: messagesPerSecond - 1, bytes: bytesPerSecond };
	const least = { messages: left.messages, bytes: left.bytes };
	let [now, sent, pings] = [0, 0, 0];
	const transmit = (size: number, arrived = (): void => {}): void => {
		const arrivesAt = Math.max(now + delayAt(now), onTheWay.at(-1)?.arrivesAt ?? 0);
		onTheWay.push({ arrivesAt, bytes: size, arrived });
		pace.pay(1, size);
	};
	const pace = new Pace(async () => {
		pings++;
		const answered = deferred();
		transmit(PING_BYTES, answered.resolve);
		const upTo = pace.sent;
		await answered.promise;
		pace.arrived(upTo);
	});
	pace.limit({ socketId: '', timestamp: 0, ...rates });
	for (; now < seconds * 1_000; now += STEP_MS) {
		while (onTheWay[0] !== undefined && onTheWay[0].arrivesAt <= now) {
			const { bytes: size, arrived } = onTheWay.shift() as (typeof onTheWay)[number];
			least.messages = Math.min(least.messages, --left.messages);
			least.bytes = Math.min(least.bytes, (left.bytes -= size));
			arrived();
		}
		await vi.advanceTimersByTimeAsync(STEP_MS);
		left.messages = Math.min(messagesPerSecond, left.messages + (messagesPerSecond * STEP_MS) / 1_000);
		left.bytes = Math.min(bytesPerSecond, left.bytes + (bytesPerSecond * STEP_MS) / 1_000);
		for (; pace.delay(1, bytes) === 0; sent++) transmit(bytes);
	}
	return { sent, pings, least };
}

describe('a client that sends as much as it may', () => {
	it.each([
		{ messagesPerSecond: 1, bytesPerSecond: Infinity },
		{ messagesPerSecond: 3, bytesPerSecond: Infinity },
		{ messagesPerSecond: 10, bytesPerSecond: 1_000_000 },
		{ messagesPerSecond: 100, bytesPerSecond: 1_000_000 },
		{ messagesPerSecond: 100, bytesPerSecond: 5_000 },
		{ messagesPerSecond: Infinity, bytesPerSecond: 10_000 },
	])('uses most of the rate, and never more: %o', async (rates) => {
		const { sent, pings, least } = await sendFor(10, rates, NO_DELAY);
		const perSecond = Math.min(rates.messagesPerSecond, rates.bytesPerSecond / BYTES);
		expect(sent).toBeGreaterThanOrEqual(0.7 * 10 * perSecond);
		expect(least.messages).toBeGreaterThanOrEqual(0);
		expect(least.bytes).toBeGreaterThanOrEqual(0);
		expect(pings).toBeLessThanOrEqual(perSecond < 10 ? 0 : 3 * 10);
	});

	it('sends a burst at once', async () => {
		const { sent } = await sendFor(0.01, { messagesPerSecond: 100, bytesPerSecond: Infinity }, NO_DELAY);
		expect(sent).toBeGreaterThanOrEqual(85);
	});

	it('never sends too much, however the network delays it', async () => {
		const delays = fc.array(fc.tuple(fc.constantFrom(0, 50, 300, 1_000, 5_000), fc.integer({ min: 1, max: 40 })), {
			minLength: 1,
		});
		const rates = fc.constantFrom(
			{ messagesPerSecond: 10, bytesPerSecond: Infinity },
			{ messagesPerSecond: 100, bytesPerSecond: 1_000_000 },
			{ messagesPerSecond: 100, bytesPerSecond: 6_000 },
		);
		await fc.assert(
			fc.asyncProperty(rates, delays, async (allowed, spans) => {
				const steps = spans.flatMap(([delay, length]) => Array.from({ length: 5 * length }, () => delay));
				const delayAt = (ms: number): number => steps[(ms / STEP_MS) % steps.length] ?? 0;
				const { least } = await sendFor(8, allowed, delayAt);
				expect(least.messages).toBeGreaterThanOrEqual(0);
				expect(least.bytes).toBeGreaterThanOrEqual(0);
			}),
			{ numRuns: 60 },
		);
	});

	it('sends what is larger than a burst when the server has a full second’s worth', async () => {
		const rates = { messagesPerSecond: 100, bytesPerSecond: 10_000 };
		const { sent, least } = await sendFor(12, rates, () => 20, 10_000 - PING_BYTES);
		expect(sent).toBeGreaterThanOrEqual(8);
		expect(least.bytes).toBeGreaterThanOrEqual(0);
	});
});

it('without limits, everything may be sent at once, and nothing is asked', async () => {
	let pings = 0;
	const pace = new Pace(async () => void pings++);
	pace.limit({ socketId: '', timestamp: 0 });
	for (let i = 0; i < 10_000; i++) {
		expect(pace.delay(1, 1e9)).toBe(0);
		pace.pay(1, 1e9);
	}
	expect(pings).toBe(0);
});
