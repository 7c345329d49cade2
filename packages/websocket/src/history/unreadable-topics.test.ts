import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { UnreadableTopics } from './unreadable-topics.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const ERROR = new Error('wrong type');

/** Topics that fail to be read until they are removed from `broken`. */
function createTopics(...names: string[]) {
	const broken = new Set(names);
	const reads: string[] = [];
	const changes: boolean[] = [];
	const errors: Error[] = [];
	const topics = new UnreadableTopics({
		read: async (topic) => {
			reads.push(topic);
			if (broken.has(topic)) throw ERROR;
		},
		onChange: (areThereAny) => changes.push(areThereAny),
		onError: (error) => errors.push(error),
	});
	for (const name of names) topics.add(name, ERROR);
	return { topics, broken, reads, changes, errors };
}

it('are reported once, and tried one at a time with growing delays', async () => {
	const { topics, reads, changes, errors } = createTopics('a', 'b');
	topics.add('a', ERROR);
	expect([changes, errors]).toEqual([[true], [ERROR, ERROR]]);
	await vi.advanceTimersByTimeAsync(15_000);
	expect(reads).toEqual(['a', 'b', 'a', 'b']);
	await vi.advanceTimersByTimeAsync(60_000);
	expect(reads).toHaveLength(8);
});

it('are over once each could be read', async () => {
	const { broken, reads, changes } = createTopics('a', 'b', 'c');
	broken.delete('a');
	await vi.advanceTimersByTimeAsync(1_000);
	expect([reads, changes]).toEqual([['a', 'b'], [true]]);
	broken.clear();
	await vi.advanceTimersByTimeAsync(15_000);
	expect([reads, changes]).toEqual([
		['a', 'b', 'c', 'b'],
		[true, false],
	]);
	await vi.advanceTimersByTimeAsync(60_000);
	expect(reads).toHaveLength(4);
});

it('are over once each has been read elsewhere', async () => {
	const { topics, reads, changes } = createTopics('a', 'b');
	topics.delete('a');
	expect(changes).toEqual([true]);
	topics.delete('b');
	topics.delete('b');
	await vi.advanceTimersByTimeAsync(60_000);
	expect([reads, changes]).toEqual([[], [true, false]]);
	topics.add('a', ERROR);
	expect(changes).toEqual([true, false, true]);
});

it('are bounded in number', () => {
	const { errors } = createTopics(...Array.from({ length: 1_500 }, (_, i) => `t:${i}`));
	expect(errors).toHaveLength(1_000);
});

it('are not tried after the close', async () => {
	const { topics, reads, changes } = createTopics('a');
	topics.close();
	await vi.advanceTimersByTimeAsync(60_000);
	expect([reads, changes]).toEqual([[], [true]]);
});
