import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Logger, safely } from './index.ts';

const broken: Logger = { debug: fail, info: fail, warn: fail, error: fail };

describe('safely', () => {
	it.each(['debug', 'info', 'warn', 'error'] as const)(
		'never throws at %s, and reports the lost line on the console',
		(level) => {
			const spy = vi.spyOn(console, 'error').mockImplementation(() => {});
			onTestFinished(() => spy.mockRestore());

			safely(broken)[level]('It happened', { err: new Error('x') });
			expect(spy.mock.calls).toEqual([[`A log line could not be written: ${level}: It happened`]]);
		},
	);

	it('passes lines on, with details only if the line has some', () => {
		const lines: unknown[][] = [];
		const keep = (...line: unknown[]): void => void lines.push(line);
		const logger = safely({ debug: keep, info: keep, warn: keep, error: keep });

		logger.warn('one', { a: 1 });
		logger.error('two');
		expect(lines).toEqual([['one', { a: 1 }], ['two']]);
	});

	it('returns a logger that is safe already as it is', () => {
		const safe = safely(broken);
		expect(safely(safe)).toBe(safe);
	});
});

function fail(): never {
	throw new Error('broken');
}
