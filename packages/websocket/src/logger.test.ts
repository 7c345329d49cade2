import { until } from '@orijs/testkit';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { consoleLogger, InProcWsProvider, ProviderNotStartedError, type LogDetails, type Logger } from './index.ts';

afterEach(() => {
	vi.restoreAllMocks();
});

/** Has the interface of pino, which takes the details first. */
interface PinoShaped {
	debug(details: object, message: string): void;
	info(details: object, message: string): void;
	warn(details: object, message: string): void;
	error(details: object, message: string): void;
}

describe('a logger', () => {
	it('can be the console', async () => {
		const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
		const logger: Logger = console;
		void new InProcWsProvider({ logger }).publish('t', 'x');
		await until(() => warn.mock.calls.length > 0, { what: 'it is logged' });

		expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringMatching(/await provider\.start\(\).* err=ProviderNot/));
	});

	it('can be pino, through a bridge of one line', async () => {
		const lines: [string, object, string][] = [];
		const log: PinoShaped = {
			debug: (details, message) => lines.push(['debug', details, message]),
			info: (details, message) => lines.push(['info', details, message]),
			warn: (details, message) => lines.push(['warn', details, message]),
			error: (details, message) => lines.push(['error', details, message]),
		};
		const at = (level: keyof PinoShaped) => (message: string, details?: LogDetails) =>
			log[level](details ?? {}, message);
		const logger: Logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
		logger.info('without details');
		const provider = new InProcWsProvider({ logger });
		void provider.publish('t', 'x');
		await until(() => lines.length === 2, { what: 'it is logged' });

		expect(lines).toEqual([
			['info', {}, 'without details'],
			['warn', { err: expect.any(ProviderNotStartedError) }, expect.stringContaining('await provider.start()')],
		]);
	});
});

describe('the default logger', () => {
	it('writes to the console, on one line, with details only if the line has some', () => {
		const info = vi.spyOn(console, 'info').mockImplementation(() => {});
		const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
		const error = vi.spyOn(console, 'error').mockImplementation(() => {});
		consoleLogger.info('started');
		consoleLogger.warn('warned', { topic: 't' });
		consoleLogger.error('failed', { stage: 'publish' });

		expect(info).toHaveBeenCalledExactlyOnceWith('started');
		expect(warn).toHaveBeenCalledExactlyOnceWith('warned topic="t"');
		expect(error).toHaveBeenCalledExactlyOnceWith('failed stage="publish"');
	});

	it('writes no debug lines', () => {
		const spies = (['debug', 'log', 'info'] as const).map((method) =>
			vi.spyOn(console, method).mockImplementation(() => {}),
		);
		consoleLogger.debug('never mind', { topic: 't' });

		for (const spy of spies) expect(spy).not.toHaveBeenCalled();
	});

	it('is used by a provider that was created without a logger', async () => {
		const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
		// Nothing else in this file logs this error to the console, which all tests share.
		const provider = new InProcWsProvider();
		await provider.start();
		void provider.subscribe('not an id', 't');
		await until(() => warn.mock.calls.length > 0, { what: 'it is logged' });

		expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('Invalid socket id "not an id"'));
	});
});
