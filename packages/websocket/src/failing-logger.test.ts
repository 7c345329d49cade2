import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Logger, safely } from './index.ts';

const broken: Logger = { debug: fail, info: fail, warn: fail, error: fail };

describe('safely', () => {
	it.each(['debug', 'info', 'warn', 'error'] as const)(
		'never throws at %s, and says on the console what was not written',
		(level) => {
			const spy = vi.spyOn(console, 'error').mockImplementation(() => {});
			onTestFinished(() => spy.mockRestore());

			safely(broken)[level]('It happened', { err: new Error('x') });
			expect(spy.mock.calls).toEqual([[`A log line could not be written: ${level}: It happened`]]);
		},
	);

	it('passes on what it is told, and no details where there are none', () => {
		const lines: unknown[][] = [];
		const keep = (...line: unknown[]): void => void lines.push(line);
		const logger = safely({ debug: keep, info: keep, warn: keep, error: keep });

		logger.warn('one', { a: 1 });
		logger.error('two');
		expect(lines).toEqual([['one', { a: 1 }], ['two']]);
	});

	it('adds nothing to what is safe already', () => {
		const safe = safely(broken);
		expect(safely(safe)).toBe(safe);
	});
});

function fail(): never {
	throw new Error('broken');
}
