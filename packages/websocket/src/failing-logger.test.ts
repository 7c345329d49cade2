import { until } from '@orijs/testkit';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { InvalidOptionError, type Logger, safely } from './index.ts';

const broken: Logger = { debug: fail, info: fail, warn: fail, error: fail };

const reject = (): Promise<never> => Promise.reject(new Error('broken'));
const rejecting: Logger = { debug: reject, info: reject, warn: reject, error: reject };

describe('safely', () => {
	it.each(['debug', 'info', 'warn', 'error'] as const)(
		'never throws at %s, and reports the lost line on the console',
		(level) => {
			const spy = vi.spyOn(console, 'error').mockImplementation(() => {});
			onTestFinished(() => spy.mockRestore());

			safely(broken)[level]('It happened', { err: new Error('x') });
			expect(spy.mock.calls).toEqual([
				[expect.stringMatching(`^A log line could not be written: ${level}: It happened err=Error: broken at fail `)],
			]);
			expect(spy.mock.calls[0]?.[0]).not.toContain('Error: x');
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

	it('returns an already safe logger unchanged, and the same wrapper for the same logger', () => {
		const safe = safely(broken);
		expect([safely(safe), safely(broken)]).toEqual([safe, safe]);
	});

	it.each(['debug', 'info', 'warn', 'error'] as const)(
		'handles the rejection of an asynchronous logger at %s, and reports the lost line on the console',
		async (level) => {
			const spy = vi.spyOn(console, 'error').mockImplementation(() => {});
			onTestFinished(() => spy.mockRestore());

			safely(rejecting)[level]('It happened\n\u202e', { err: new Error('x') });
			await until(() => spy.mock.calls.length > 0, { what: 'the line is reported' });
			expect(spy.mock.calls).toEqual([
				[
					expect.stringContaining(
						String.raw`A log line could not be written: ${level}: It happened\u{a}\u{202e} err=Error: broken at `,
					),
				],
			]);
		},
	);

	it('never throws, even if the console fails as well', () => {
		const spy = vi.spyOn(console, 'error').mockImplementation(fail);
		onTestFinished(() => spy.mockRestore());

		expect(() => safely(broken).warn('It happened')).not.toThrow();
	});

	it.each<[unknown, string]>([
		[null, 'not null'],
		['console', 'not "console"'],
		[{ info: fail, warn: fail, error: fail }, 'debug is missing'],
	])('refuses anything that is not a logger: %j', (logger, why) => {
		expect(() => safely(logger as Logger)).toThrow(InvalidOptionError);
		expect(() => safely(logger as Logger)).toThrow(why);
	});
});

function fail(): never {
	throw new Error('broken');
}
