import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Connection } from '../connection/connection.ts';
import { SendQueue, type Outgoing } from './send-queue.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const connection = (state: { isReady: boolean; isFull: boolean } = { isReady: true, isFull: false }): Connection =>
	state as unknown as Connection;

/** Fills an outbox, and tells what has gone out. */
function filled(count: number): { outbox: SendQueue; sent: number[]; refused: number[]; put: (n: number) => Outgoing } {
	const outbox = new SendQueue({ messages: 1_000, characters: 1_000_000 });
	const sent: number[] = [];
	const refused: number[] = [];
	const put = (n: number): Outgoing => {
		const outgoing: Outgoing = {
			name: 'x',
			text: '{}',
			deliver: () => void sent.push(n),
			refuse: () => void refused.push(n),
		};
		outbox.add(outgoing);
		return outgoing;
	};
	for (let n = 0; n < count; n++) put(n);
	return { outbox, sent, refused, put };
}

describe('what waited goes out', () => {
	it('at once where there is no bound', () => {
		const { outbox, sent } = filled(500);
		outbox.open(connection(), undefined);
		expect(sent).toHaveLength(500);
	});

	it.each([1, 2, 3, 7, 8, 10, 100])(
		'at a little less than the %i messages in a second that are allowed',
		(messagesPerSecond) => {
			const { outbox, sent } = filled(1_000);
			outbox.open(connection(), messagesPerSecond);
			const first = sent.length;
			expect(first).toBe(Math.max(1, Math.floor((0.9 * messagesPerSecond) / 4)));
			vi.advanceTimersByTime(10_000);
			expect(sent.length - first).toBeLessThanOrEqual(9 * messagesPerSecond);
			expect(sent.length - first).toBeGreaterThanOrEqual(Math.floor(4.5 * messagesPerSecond));
			expect(sent).toEqual(sent.map((_, index) => index));
		},
	);

	it('in order, with what comes meanwhile behind it', () => {
		const { outbox, sent, put } = filled(3);
		outbox.open(connection(), 8);
		put(3);
		expect(sent).toEqual([0]);
		vi.advanceTimersByTime(2_000);
		put(4);
		expect(sent).toEqual([0, 1, 2, 3, 4]);
	});

	it('only while there is a connection', () => {
		const { outbox, sent } = filled(3);
		outbox.open(connection(), 8);
		outbox.shut();
		vi.advanceTimersByTime(5_000);
		expect(sent).toEqual([0]);
		outbox.open(connection(), undefined);
		expect(sent).toEqual([0, 1, 2]);
		expect(vi.getTimerCount()).toBe(0);
	});
});

it('while the socket is full, what is sent waits until it is not', () => {
	const state = { isReady: true, isFull: true };
	const { outbox, sent, put } = filled(0);
	outbox.open(connection(state), undefined);
	put(0);
	vi.advanceTimersByTime(1_000);
	expect(sent).toEqual([]);
	state.isFull = false;
	vi.advanceTimersByTime(1_000);
	put(1);
	expect(sent).toEqual([0, 1]);
});

it('what is taken out is not sent, and makes room', () => {
	const outbox = new SendQueue({ messages: 1, characters: 10 });
	const sent: string[] = [];
	const refused: string[] = [];
	const outgoing = (text: string): Outgoing => ({
		name: 'x',
		text,
		deliver: () => void sent.push(text),
		refuse: ({ code }) => void refused.push(`${text}: ${code}`),
	});
	const first = outgoing('"first"');
	outbox.add(first);
	outbox.add(outgoing('"full"'));
	expect(outbox.remove(first)).toBe(true);
	expect(outbox.remove(first)).toBe(false);
	outbox.add(outgoing('"much too long"'));
	outbox.add(outgoing('"12345678"'));
	outbox.open(connection(), undefined);
	expect(sent).toEqual(['"12345678"']);
	expect(refused).toEqual(['"full": queue_full', '"much too long": queue_full']);
});
