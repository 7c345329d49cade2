import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { MessageBuffer } from './message-buffer.ts';

const message = (n: number, timestamp = n): { name: string; data: number; timestamp: number } => ({
	name: 'numbered',
	data: n,
	timestamp,
});

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

/** Reads until the buffer ends, which it must have done already. */
async function readAll(buffer: MessageBuffer): Promise<unknown[]> {
	const all: unknown[] = [];
	for await (const { data } of buffer.read(
		(span) => all.push(span),
		() => all.push('left'),
	))
		all.push(data);
	return all;
}

it('messages are kept for a loop that begins within ten seconds of the first', async () => {
	const buffer = new MessageBuffer();
	buffer.add(message(1), 5);
	vi.advanceTimersByTime(9_999);
	buffer.add(message(2), 5);
	const reading = buffer.read(
		() => {},
		() => {},
	);
	expect((await reading.next()).value).toMatchObject({ data: 1 });
	vi.advanceTimersByTime(60_000);
	buffer.add(message(3), 5);
	expect((await reading.next()).value).toMatchObject({ data: 2 });
	expect((await reading.next()).value).toMatchObject({ data: 3 });
});

it('no message is kept if no loop begins in time, and a later loop receives the span of the gap', async () => {
	const buffer = new MessageBuffer();
	buffer.add(message(1, 1_001), 5);
	vi.advanceTimersByTime(10_000);
	buffer.add(message(2, 1_002), 5);
	buffer.add(message(3, 999), 5);
	const left: string[] = [];
	const spans: unknown[] = [];
	const reading = buffer.read(
		(span) => spans.push(span),
		() => left.push('left'),
	);
	const next = reading.next();
	buffer.add(message(4), 5);
	expect((await next).value).toMatchObject({ data: 4 });
	expect(spans).toEqual([{ since: 999, until: 1_002 }]);
	await reading.return();
	expect(left).toEqual(['left']);
});

it('an error comes after the messages that wait; a closed buffer has none', async () => {
	const failed = new MessageBuffer();
	failed.add(message(1), 5);
	failed.end(new Error('refused'));
	const all: unknown[] = [];
	await expect(
		(async () => {
			for await (const { data } of failed.read(
				() => {},
				() => {},
			))
				all.push(data);
		})(),
	).rejects.toThrow('refused');
	expect(all).toEqual([1]);

	const closed = new MessageBuffer();
	for (let n = 1; n <= 3; n++) closed.add(message(n), 1);
	closed.end(null);
	expect(await readAll(closed)).toEqual(['left']);
});
