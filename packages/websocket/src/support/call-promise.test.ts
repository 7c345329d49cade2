import { RecordingLogger } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import { UnknownSocketError } from '../errors.ts';
import { FailureLog } from './failure-log.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

function failures(hasLeft = false): { readonly log: RecordingLogger; readonly calls: FailureLog } {
	const log = new RecordingLogger();
	return { log, calls: new FailureLog(log, () => hasLeft) };
}

const later = async (error: Error): Promise<never> => {
	await turn();
	throw error;
};

describe.each<[string, (calls: FailureLog, error: Error) => Promise<void>]>([
	['at once', (calls, error) => calls.refuse(error)],
	['later', (calls, error) => calls.watch(later(error))],
])('a call that fails %s', (_, call) => {
	it.each<[string, (promise: Promise<void>) => unknown]>([
		[
			'by await',
			async (promise) => {
				try {
					await promise;
				} catch {}
			},
		],
		['by returning it from an async function', (promise) => (async () => promise)().catch(() => {})],
		['by catch', (promise) => promise.catch(() => {})],
		['by then', (promise) => promise.then(null, () => {})],
		['by finally', (promise) => promise.finally(() => {}).catch(() => {})],
		['by Promise.all', (promise) => Promise.all([promise, turn()]).catch(() => {})],
		['by Promise.allSettled', (promise) => Promise.allSettled([promise])],
	])('is not logged if its promise is awaited %s', async (__, use) => {
		const { log, calls } = failures();
		await use(call(calls, new Error('mine')));
		await turn();

		expect(log.lines).toEqual([]);
	});

	it('is logged once if its promise is ignored, and does not count as an unhandled rejection', async () => {
		const { log, calls } = failures();
		const error = new Error('ignored');
		void call(calls, error);
		await turn();
		await turn();

		expect(log.lines).toEqual([{ level: 'warn', message: 'ignored', details: { err: error } }]);
	});

	it('is logged by the object that passed its promise on', async () => {
		const { log, calls } = failures();
		const outer = failures();
		void outer.calls.takeOver(call(calls, new Error('ignored')));
		await turn();
		await turn();

		expect([log.lines.length, outer.log.lines.length]).toEqual([0, 1]);
	});

	it('is logged at debug if its socket has left, also by the object that passed its promise on', async () => {
		const { log, calls } = failures(true);
		const outer = failures();
		const error = new UnknownSocketError(crypto.randomUUID());
		void call(calls, error);
		void outer.calls.takeOver(call(calls, new UnknownSocketError(crypto.randomUUID())));
		await turn();
		await turn();

		expect([...log.lines, ...outer.log.lines].map(({ level }) => level)).toEqual(['debug', 'debug']);
	});

	it('is not logged if the error has been reported already', async () => {
		const { log, calls } = failures();
		const error = new Error('reported');
		calls.report(error, 'subscribe');
		void call(calls, error);
		await turn();
		await turn();

		expect(log.lines.map(({ message }) => message)).toEqual(['WebSocket failure (subscribe): reported']);
	});
});

it('a call that succeeds is passed on', async () => {
	const { log, calls } = failures();
	expect(await calls.watch(Promise.resolve(7))).toBe(7);
	expect(log.lines).toEqual([]);
});
