import { until } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import { startSignalledProcess } from '../test-support/start-signalled-process.ts';

describe('a program that listens to SIGTERM itself', () => {
	it.each([
		['on', 'before'],
		['on', 'after'],
		['once', 'before'],
		['once', 'after'],
	] as const)('(%s, %s listen) keeps the exit to itself; the application stops all the same', async (how, when) => {
		const node = await startSignalledProcess({ ownListener: { how, when } });

		node.process.kill('SIGTERM');
		await node.reported('own listener');
		expect(await node.clients[0]?.closed).toMatchObject({ code: 1012 });
		await node.reported('shut down 0');
		// The process goes on, and the application that has stopped has left nothing behind.
		expect(await node.ask({ do: 'listeners' })).toEqual([how === 'on' ? 1 : 0, 0]);
		const exit = node.ask({ do: 'exit', code: 7 }).catch(() => {});
		expect(await node.process.exited).toEqual({ code: 7, signal: null });
		await exit;
	});

	it('keeps it when the signal comes again while a handler hangs', async () => {
		const node = await startSignalledProcess({ ownListener: { how: 'on', when: 'before' } });
		const heard = (): number => node.process.reports.filter((what) => what === 'own listener').length;
		await node.keepBusy();

		node.process.kill('SIGTERM');
		await node.reported('own listener');
		// What comes within 300 ms is the same signal.
		await Bun.sleep(400);
		node.process.kill('SIGTERM');
		await until(() => heard() === 2, { what: 'the program hears of the second' });
		await node.ask({ do: 'releaseHandlers' });
		await node.reported('shut down 0');
		expect(await node.clients[0]?.closed).toMatchObject({ code: 1012 });
		expect(node.process.state()).toBe('running');
	});

	it('has the exit to itself for that signal only', async () => {
		const node = await startSignalledProcess({ ownListener: { how: 'on', when: 'before' } });

		node.process.kill('SIGINT');
		expect(await node.process.exited).toEqual({ code: 0, signal: null });
		expect(node.process.reports).toEqual(['shut down 0']);
	});
});
