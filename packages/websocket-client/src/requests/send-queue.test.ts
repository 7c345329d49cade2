import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Connection } from '../connection/connection.ts';
import { type DueTopics, SendQueue, type Outgoing } from './send-queue.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A connection that allows `perSecond` messages per second, and `burst` at once. */
function connectionOf(perSecond: number, burst: number = perSecond) {
	let [left, at] = [burst, Date.now()];
	return {
		isReady: true,
		burst,
		excess: () => undefined,
		pay: (messages: number) => void (left -= messages),
		delay(messages: number): number {
			left = Math.min(burst, left + ((Date.now() - at) * perSecond) / 1_000);
			at = Date.now();
			return Math.max(0, ((messages - left) / perSecond) * 1_000);
		},
	};
}

type TestConnection = ReturnType<typeof connectionOf>;
const as = (connection: TestConnection): Connection => connection as unknown as Connection;

/** A queue, and what it has sent and refused so far: numbers for messages, and `T` for requests for topics. */
function startQueue(bounds = { messages: 1_000, characters: 1_000_000 }) {
	const due: string[] = [];
	const sent: (number | 'T')[] = [];
	const refused: string[] = [];
	const topics: DueTopics = {
		due,
		requestSome(connection, cost) {
			due.splice(0, 10 * cost);
			(connection as unknown as TestConnection).pay(cost);
			sent.push('T');
			return cost;
		},
	};

	const queue = new SendQueue(bounds, topics, () => undefined);
	const put = (n: number, text = '{}', latest?: string): Outgoing => {
		const outgoing: Outgoing = {
			text,
			latest,
			deliver(connection) {
				(connection as unknown as TestConnection).pay(1);
				sent.push(n);
			},
			refuse: (code) => void refused.push(`${n}: ${code}`),
		};
		queue.add(outgoing);
		return outgoing;
	};
	/** Makes a request of the client's own. */
	const ask = (n: number): void =>
		queue.ask({
			text: '{}',
			deliver(connection) {
				(connection as unknown as TestConnection).pay(1);
				sent.push(n);
			},
			refuse: (code) => void refused.push(`${n}: ${code}`),
		});
	return { queue, due, sent, refused, put, ask };
}

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe('queued messages are sent', () => {
	it('as the rate allows, in order, before those added meanwhile', () => {
		const { queue, sent, put } = startQueue();
		for (const n of numbers(0, 30)) put(n);
		queue.open(as(connectionOf(10)));
		expect(sent).toEqual(numbers(0, 10));
		put(30);
		vi.advanceTimersByTime(1_000);
		expect(sent).toEqual(numbers(0, 20));
		put(31);
		expect(sent).toEqual(numbers(0, 20));
		vi.advanceTimersByTime(1_300);
		expect(sent).toEqual(numbers(0, 32));
		expect(vi.getTimerCount()).toBe(0);
	});

	it('only while there is a connection', () => {
		const { queue, sent, put } = startQueue();
		for (const n of numbers(0, 3)) put(n);
		queue.open(as(connectionOf(1)));
		queue.shut();
		vi.advanceTimersByTime(5_000);
		expect(sent).toEqual([0]);
		queue.open(as(connectionOf(10)));
		expect(sent).toEqual([0, 1, 2]);
		expect(vi.getTimerCount()).toBe(0);
	});

	it('in turns with topics, which come first', () => {
		const { queue, due, sent, put } = startQueue();
		due.push(...numbers(0, 500).map(String));
		for (const n of numbers(0, 30)) put(n);
		queue.open(as(connectionOf(100, 25)));
		expect(sent).toEqual(['T', 'T']);
		vi.advanceTimersByTime(1_000);
		expect(sent).toEqual(['T', 'T', 'T', ...numbers(0, 10), 'T', ...numbers(10, 20), 'T', ...numbers(20, 30)]);
	});

	it('after topics that were due when there were no messages, without making up for them', () => {
		const { queue, due, sent, put } = startQueue();
		queue.open(as(connectionOf(100, 10)));
		due.push(...numbers(0, 1_000).map(String));
		queue.flush();
		vi.advanceTimersByTime(500);
		for (const n of numbers(0, 10)) put(n);
		vi.advanceTimersByTime(500);
		const last = sent.slice(sent.indexOf(0));
		expect(last).toEqual([...numbers(0, 10), ...last.slice(10).map(() => 'T')]);
		expect(sent.filter((one) => one === 'T').length).toBeGreaterThanOrEqual(8);
	});
});

describe("requests of the client's own", () => {
	it('are sent before messages that wait, after topics, and then in turns', () => {
		const { queue, due, sent, put, ask } = startQueue();
		for (const n of numbers(0, 20)) put(n);
		for (const n of numbers(100, 110)) ask(n);
		due.push('topic');
		queue.open(as(connectionOf(10, 5)));
		expect(sent).toEqual(['T', ...numbers(100, 104)]);
		vi.advanceTimersByTime(1_000);
		expect(sent.slice(5)).toEqual([104, 0, 105, 1, 106, 2, 107, 3, 108, 4]);
		vi.advanceTimersByTime(3_000);
		expect(sent.slice(15)).toEqual([109, ...numbers(5, 20)]);
	});

	it('need no space in the queue, and take none', () => {
		const { queue, sent, refused, put, ask } = startQueue({ messages: 1, characters: 2 });
		put(0);
		for (const n of numbers(100, 103)) ask(n);
		put(1);
		expect(refused).toEqual(['1: queue_full']);
		queue.open(as(connectionOf(10)));
		expect(sent).toEqual([100, 101, 102, 0]);
	});

	it('that have not been sent end with the connection', () => {
		const { queue, sent, refused, ask } = startQueue();
		queue.open(as(connectionOf(1)));
		ask(100);
		ask(101);
		queue.shut();
		queue.open(as(connectionOf(10)));
		expect([sent, refused]).toEqual([[100], ['101: closed']]);
		expect(vi.getTimerCount()).toBe(0);
	});
});

it('sends a new message at once only if nothing waits', () => {
	const { queue, due, sent, put } = startQueue();
	queue.open(as(connectionOf(10, 1)));
	put(0);
	expect(sent).toEqual([0]);
	due.push('topic');
	queue.flush();
	put(1);
	vi.advanceTimersByTime(250);
	expect(sent).toEqual([0, 'T', 1]);
});

it('does not send a removed message, and frees its space', () => {
	const { queue, sent, refused, put } = startQueue({ messages: 1, characters: 10 });
	const first = put(0, '"first"');
	put(1, '"full"');
	queue.remove(first);
	queue.remove(first);
	put(2, '"much too long"');
	put(3, '"12345678"');
	queue.open(as(connectionOf(100)));
	expect(sent).toEqual([3]);
	expect(refused).toEqual(['1: queue_full', '2: queue_full']);
});

it('replaces a message with the same key in its place and space', () => {
	const { queue, sent, refused, put } = startQueue({ messages: 2, characters: 10 });
	put(0, '12345', 'key');
	put(1, '1234');
	put(2, '123456', 'key');
	put(3, '1234567', 'key');
	put(4, '1', 'other');
	expect(refused).toEqual(['0: replaced', '3: queue_full', '4: queue_full']);
	queue.open(as(connectionOf(1, 1)));
	expect(sent).toEqual([2]);
	put(5, '12345', 'key');
	vi.advanceTimersByTime(2_000);
	expect(sent).toEqual([2, 1, 5]);
});
