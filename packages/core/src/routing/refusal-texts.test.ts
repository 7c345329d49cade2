import { expect, it } from 'vitest';
import { tooManyTopics } from './refusal-texts.ts';

it.each([
	[1, 'Limit of 1 topic per connection reached'],
	[2, 'Limit of 2 topics per connection reached'],
])('the refusal of a topic above a limit of %d reads: %s', (limit, text) => {
	expect(tooManyTopics(limit)).toBe(text);
});
