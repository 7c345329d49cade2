import { RecordingLogger } from '@orijs/testkit';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Logger } from '../logger.ts';
import { type LogKind, MAX_KINDS, throttleOf } from './log-throttle.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const kind = (key: string): LogKind => ({ key, summary: `${key} happened`, details: { key } });

describe('entries of a kind', () => {
	it('are written at once, with their details, if they are the first', () => {
		const log = new RecordingLogger();
		throttleOf(log).add('error', kind('a'), 'a failed for x', { x: 1 });

		expect(log.lines).toEqual([{ level: 'error', message: 'a failed for x', details: { x: 1 } }]);
	});

	it('are then combined into one line per second with their number, until a second passes without entries', () => {
		const log = new RecordingLogger();
		const throttle = throttleOf(log);
		for (let i = 0; i < 1_000; i++) throttle.add('warn', kind('a'), `a failed for ${i}`, { i });
		expect(log.lines).toHaveLength(1);
		vi.advanceTimersByTime(999);
		expect(log.lines).toHaveLength(1);
		vi.advanceTimersByTime(1);
		expect(log.lines[1]).toEqual({ level: 'warn', message: 'a happened', details: { key: 'a', count: 999 } });

		throttle.add('warn', kind('a'), 'a failed for y', {});
		vi.advanceTimersByTime(1_000);
		expect(log.lines[2]).toEqual({ level: 'warn', message: 'a happened', details: { key: 'a', count: 1 } });
		vi.advanceTimersByTime(10_000);
		expect(log.lines).toHaveLength(3);

		throttle.add('warn', kind('a'), 'a failed for z', { z: 1 });
		expect(log.lines[3]).toEqual({ level: 'warn', message: 'a failed for z', details: { z: 1 } });
	});

	it('do not hide those of another kind', () => {
		const log = new RecordingLogger();
		const throttle = throttleOf(log);
		for (let i = 0; i < 100; i++) throttle.add('warn', kind('flood'), 'flood', {});
		throttle.add('error', kind('rare'), 'rare', {});

		expect(log.lines.map(({ message }) => message)).toEqual(['flood', 'rare']);
	});

	it('share a line for each level once there are too many kinds, and all are counted', () => {
		const log = new RecordingLogger();
		const throttle = throttleOf(log);
		for (let i = 0; i < 500; i++) throttle.add(i % 2 === 0 ? 'warn' : 'error', kind(`k${i}`), `k${i}`, {});
		expect(log.lines).toHaveLength(MAX_KINDS + 2);
		vi.advanceTimersByTime(1_000);

		expect(log.lines.slice(MAX_KINDS + 2).map(({ level, details }) => [level, details?.['count']])).toEqual([
			['warn', (500 - MAX_KINDS) / 2 - 1],
			['error', (500 - MAX_KINDS) / 2 - 1],
		]);
		vi.advanceTimersByTime(10_000);
		for (let i = 0; i < MAX_KINDS; i++) throttle.add('warn', kind(`later${i}`), `later${i}`, {});
		expect(log.lines.at(-1)?.message).toBe(`later${MAX_KINDS - 1}`);
	});

	it('are written without waiting when the throttle is flushed', () => {
		const log = new RecordingLogger();
		const throttle = throttleOf(log);
		for (let i = 0; i < 5; i++) throttle.add('warn', kind('a'), 'a', {});
		throttle.flush();
		throttle.flush();

		expect(log.lines.map(({ details }) => details)).toEqual([undefined, { key: 'a', count: 4 }]);
		vi.advanceTimersByTime(10_000);
		expect(log.lines).toHaveLength(2);
	});

	it('are counted together for everything that writes to the same logger', () => {
		const log = new RecordingLogger();
		throttleOf(log).add('warn', kind('a'), 'a', {});
		throttleOf(log).add('warn', kind('a'), 'a', {});

		expect(log.lines).toHaveLength(1);
	});
});

describe('a line', () => {
	it('is printable and of bounded length, whatever is in its message and details', () => {
		const log = new RecordingLogger();
		const evil = `\u001b[2J\r\n\u202e\u2028${'x'.repeat(100_000)}`;
		throttleOf(log).add('warn', kind('a'), evil, { type: evil });
		const [line] = log.lines;

		const shown = String.raw`\u{1b}[2J\u{d}\u{a}\u{202e}\u{2028}xxx`;
		expect([line?.message, line?.details?.['type']]).toEqual([
			expect.stringContaining(shown),
			expect.stringContaining(shown),
		]);
		expect(String(line?.message).length).toBeLessThan(1_100);
		expect(String(line?.details?.['type']).length).toBeLessThan(1_100);
	});

	it('that makes the logger log again does not recurse', () => {
		const lines: string[] = [];
		const again = (message: string): void => {
			lines.push(message);
			throttleOf(logger).add('warn', kind('a'), 'again', {});
		};
		const logger: Logger = { debug: again, info: again, warn: again, error: again };
		throttleOf(logger).add('warn', kind('a'), 'first', {});

		expect(lines).toEqual(['first']);
	});
});
