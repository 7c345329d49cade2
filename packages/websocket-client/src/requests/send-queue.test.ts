import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Connection } from '../connection/connection.ts';
import { SendQueue, type Outgoing } from './send-queue.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const connection = (state: { isReady: boolean; isFull: boolean } = { isReady: true, isFull: false }): Connection =>
	state as unknown as Connection;

/** Returns a queue that holds `count` messages, and the messages that it has sent and refused so far. */
function filled(count: number): { queue: SendQueue; sent: number[]; refused: number[]; put: (n: number) => Outgoing } {
	const queue = new SendQueue({ messages: 1_000, characters: 1_000_000 });
	const sent: number[] = [];
	const refused: number[] = [];
	const put = (n: number): Outgoing => {
		const outgoing: Outgoing = {
			name: 'x',
			text: '{}',
			deliver: () => void sent.push(n),
			refuse: () => void refused.push(n),
		};
		queue.add(outgoing);
		return outgoing;
	};
	for (let n = 0; n < count; n++) put(n);
	return { queue, sent, refused, put };
}

describe('queued messages are sent', () => {
	it('at once if there is no rate limit', () => {
		const { queue, sent } = filled(500);
		queue.open(connection(), undefined);
		expect(sent).toHaveLength(500);
	});

	it.each([1, 2, 3, 7, 8, 10, 100])('at slightly less than the allowed %i messages per second', (messagesPerSecond) => {
		const { queue, sent } = filled(1_000);
		queue.open(connection(), messagesPerSecond);
		const first = sent.length;
		expect(first).toBe(Math.max(1, Math.floor((0.9 * messagesPerSecond) / 4)));
		vi.advanceTimersByTime(10_000);
		expect(sent.length - first).toBeLessThanOrEqual(9 * messagesPerSecond);
		expect(sent.length - first).toBeGreaterThanOrEqual(Math.floor(4.5 * messagesPerSecond));
		expect(sent).toEqual(sent.map((_, index) => index));
	});

	it('in order, before those added meanwhile', () => {
		const { queue, sent, put } = filled(3);
		queue.open(connection(), 8);
		put(3);
		expect(sent).toEqual([0]);
		vi.advanceTimersByTime(2_000);
		put(4);
		expect(sent).toEqual([0, 1, 2, 3, 4]);
	});

	it('only while there is a connection', () => {
		const { queue, sent } = filled(3);
		queue.open(connection(), 8);
		queue.shut();
		vi.advanceTimersByTime(5_000);
		expect(sent).toEqual([0]);
		queue.open(connection(), undefined);
		expect(sent).toEqual([0, 1, 2]);
		expect(vi.getTimerCount()).toBe(0);
	});
});

it('queues messages while the socket is full', () => {
	const state = { isReady: true, isFull: true };
	const { queue, sent, put } = filled(0);
	queue.open(connection(state), undefined);
	put(0);
	vi.advanceTimersByTime(1_000);
	expect(sent).toEqual([]);
	state.isFull = false;
	vi.advanceTimersByTime(1_000);
	put(1);
	expect(sent).toEqual([0, 1]);
});

it('does not send a removed message, and frees its space', () => {
	const queue = new SendQueue({ messages: 1, characters: 10 });
	const sent: string[] = [];
	const refused: string[] = [];
	const outgoing = (text: string): Outgoing => ({
		name: 'x',
		text,
		deliver: () => void sent.push(text),
		refuse: ({ code }) => void refused.push(`${text}: ${code}`),
	});
	const first = outgoing('"first"');
	queue.add(first);
	queue.add(outgoing('"full"'));
	expect(queue.remove(first)).toBe(true);
	expect(queue.remove(first)).toBe(false);
	queue.add(outgoing('"much too long"'));
	queue.add(outgoing('"12345678"'));
	queue.open(connection(), undefined);
	expect(sent).toEqual(['"12345678"']);
	expect(refused).toEqual(['"full": queue_full', '"much too long": queue_full']);
});
