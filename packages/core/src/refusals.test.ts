import { RecordingLogger, until } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import { Application } from './index.ts';
import { Refusals } from './refusals.ts';
import { serve } from './test-support/serve.ts';

const details = ({ lines }: RecordingLogger): unknown[] => lines.map((line) => line.details);

describe('a refusal', () => {
	it('is logged immediately, with its details, if it is the first of its kind', () => {
		const log = new RecordingLogger();
		new Refusals(log).add('origin', { origin: 'https://evil.example' });

		expect(log.lines).toEqual([
			{
				level: 'warn',
				message: expect.stringContaining('(403)') as string,
				details: { count: 1, origin: 'https://evil.example' },
			},
		]);
	});

	it('is logged in one line per second after that, and not when nothing followed', async () => {
		const log = new RecordingLogger();
		const refusals = new Refusals(log);
		const begin = performance.now();
		for (let i = 0; i < 1_000; i++) refusals.add('message', { number: i });
		expect(details(log)).toEqual([{ count: 1, number: 0 }]);

		await until(() => log.lines.length === 2, { what: 'the other refusals are logged' });
		expect(performance.now() - begin).toBeGreaterThanOrEqual(990);
		expect(details(log)[1]).toEqual({ count: 999 });

		refusals.add('message', { number: 1_000 });
		await until(() => log.lines.length === 3, { what: 'another line is logged' });
		expect(details(log)[2]).toEqual({ count: 1 });
		const quietSince = performance.now();
		await until(() => performance.now() - quietSince > 1_100, {
			what: 'more than a second has passed without a refusal',
		});
		expect(log.lines).toHaveLength(3);

		refusals.add('message', { number: 1_001 });
		expect(details(log)[3]).toEqual({ count: 1, number: 1_001 });
	});

	it('is logged separately for each kind', () => {
		const log = new RecordingLogger();
		const refusals = new Refusals(log);
		for (const kind of ['rate', 'flood', 'rate', 'flood', 'idle'] as const) refusals.add(kind, { kind });

		expect(details(log)).toEqual([
			{ count: 1, kind: 'rate' },
			{ count: 1, kind: 'flood' },
			{ count: 1, kind: 'idle' },
		]);
	});

	it('is logged separately for each type of message if its handler took too long, but not for types that clients make up', () => {
		const log = new RecordingLogger();
		const refusals = new Refusals(log);
		for (const type of ['slow', 'slow', 'slower']) refusals.add('handlerTimeout', { type });
		for (const type of ['made', 'up']) refusals.add('unknownType', { type });

		expect(details(log)).toEqual([
			{ count: 1, type: 'slow' },
			{ count: 1, type: 'slower' },
			{ count: 1, type: 'made' },
		]);
	});

	it('is always counted, whether or not it is logged', () => {
		const log = new RecordingLogger();
		const refusals = new Refusals(log);
		for (let i = 0; i < 10; i++) refusals.add('topics', {});
		for (let i = 0; i < 3; i++) refusals.count('upgrade');

		expect(refusals.counts).toMatchObject({ topics: 10, upgrade: 3, rate: 0 });
		expect(log.lines.map(({ message }) => message)).toEqual([expect.stringContaining('limits.topicsPerSocket')]);
	});

	it('is counted from zero for every kind; counts already read do not change', () => {
		const refusals = new Refusals(new RecordingLogger());
		const before = refusals.counts;
		refusals.add('guard', {});

		expect(new Set(Object.values(before))).toEqual(new Set([0]));
		expect([before.guard, refusals.counts.guard]).toEqual([0, 1]);
		expect(Object.keys(refusals.counts)).toEqual(Object.keys(before));
	});
});

it('an application has its counts at any time: without an endpoint, while it listens, and after it has stopped', async () => {
	const app = new Application({ logger: new RecordingLogger() });
	expect(app.refusals.upgrade).toBe(0);
	const { http } = await serve(app.websocket({ upgrade: () => null }));
	const headers = { upgrade: 'websocket' };
	expect((await fetch(`${http}/ws`, { headers })).status).toBe(403);
	expect(app.refusals.upgrade).toBe(1);
	await app.stop();
	expect(app.refusals.upgrade).toBe(1);
});
