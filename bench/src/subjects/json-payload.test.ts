import { describe, expect, it } from 'vitest';
import { jsonPayload } from './json-payload.ts';

describe('a JSON payload', () => {
	it.each([5, 100, 200, 2_000, 16_000])('of %d characters is a list with that length', (size) => {
		const text = jsonPayload(size);

		expect(text).toHaveLength(size);
		expect(JSON.parse(text)).toBeInstanceOf(Array);
		expect(jsonPayload(size)).toBe(text);
	});
});
