import { until } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import { startSignalledProcess } from '../test-support/start-signalled-process.ts';

describe('a program with its own SIGTERM listener', () => {
	it.each([
		['on', 'before'],
		['on', 'after'],
		['once', 'before'],
		['once', 'after'],
	] as const)('(%s, %s listen) decides when to exit; the application still stops', async (how, when) => {
		const node = await startSignalledProcess({ ownListener: { how, when } });

		node.process.kill('SIGTERM');
		await node.reported('own listener');
		expect(await node.clients[0]?.closed).toMatchObject({ code: 1012 });
		await node.reported('shut down 0');
		// The process keeps running, and the stopped application has removed its listeners.
		expect(await node.ask({ do: 'listeners' })).toEqual([how === 'on' ? 1 : 0, 0]);
		const exit = node.ask({ do: 'exit', code: 7 }).catch(() => {});
		expect(await node.process.exited).toEqual({ code: 7, signal: null });
		await exit;
	});

	it('is not exited by a second signal while a handler hangs', async () => {
		const node = await startSignalledProcess({ ownListener: { how: 'on', when: 'before' } });
		const received = (): number => node.process.reports.filter((what) => what === 'own listener').length;
		await node.keepBusy();

		node.process.kill('SIGTERM');
		await node.reported('own listener');
		// Signals within 300 ms count as one.
		await Bun.sleep(400);
		node.process.kill('SIGTERM');
		await until(() => received() === 2, { what: 'the program receives the second' });
		await node.ask({ do: 'releaseHandlers' });
		await node.reported('shut down 0');
		expect(await node.clients[0]?.closed).toMatchObject({ code: 1012 });
		expect(node.process.state()).toBe('running');
	});

	it('still exits on other signals', async () => {
		const node = await startSignalledProcess({ ownListener: { how: 'on', when: 'before' } });

		node.process.kill('SIGINT');
		expect(await node.process.exited).toEqual({ code: 0, signal: null });
		expect(node.process.reports).toEqual(['shut down 0']);
	});
});
