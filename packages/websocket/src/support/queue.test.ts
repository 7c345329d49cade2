import { expect, it } from 'vitest';
import { Queue } from './queue.ts';

it('hands out its items in the order in which they were added', () => {
	const queue = new Queue<number>();
	expect(queue.shift()).toBeUndefined();
	let added = 0;
	let taken = 0;
	for (let round = 1; round <= 100; round++) {
		for (let i = 0; i < 97; i++) queue.push(added++);
		for (let i = 0; i < round; i++) if (queue.size > 0) expect(queue.shift()).toBe(taken++);
		expect(queue.size).toBe(added - taken);
	}
	while (queue.size > 0) expect(queue.shift()).toBe(taken++);
	expect(taken).toBe(9_700);
	expect(queue.shift()).toBeUndefined();
});
