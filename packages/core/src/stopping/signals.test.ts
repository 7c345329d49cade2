import { describe, expect, it } from 'vitest';
import { type SignalledProcess, startSignalledProcess } from '../test-support/start-signalled-process.ts';
import { answersOf } from '../test-support/typed-client.ts';

async function codesOf({ clients }: SignalledProcess): Promise<number[]> {
	const ends = await Promise.all(clients.map(({ closed }) => closed));
	return ends.map(({ code }) => code);
}

describe('SIGTERM and SIGINT', () => {
	it.each(['SIGTERM', 'SIGINT'] as const)(
		'%s stops the application cleanly, and the process exits with 0',
		async (signal) => {
			const node = await startSignalledProcess();
			await node.keepBusy();

			node.process.kill(signal);
			await node.wrote(`Stopping on ${signal}`);
			await node.ask({ do: 'releaseHandlers' });
			expect(await codesOf(node)).toEqual([1012]);
			expect(answersOf(node.clients[0]!)).toEqual([['a', 'done']]);
			expect(await node.process.exited).toEqual({ code: 0, signal: null });
			expect(node.process.reports).toEqual(['job begun', 'shut down 0']);
		},
	);

	it('with signals: false end the process as by default', async () => {
		const node = await startSignalledProcess({ signals: false });
		expect(await node.ask({ do: 'listeners' })).toEqual([0, 0]);

		node.process.kill('SIGTERM');
		expect(await node.process.exited).toMatchObject({ signal: 'SIGTERM' });
		expect(await codesOf(node)).toEqual([1006]);
		expect(node.process.reports).toEqual([]);
	});

	it('a second signal forces an exit with 1 while a handler hangs', async () => {
		const node = await startSignalledProcess();
		await node.keepBusy();

		node.process.kill('SIGTERM');
		await node.wrote('Stopping on SIGTERM');
		// Signals within 300 ms count as one.
		await Bun.sleep(400);
		const begin = performance.now();
		node.process.kill('SIGTERM');
		expect(await node.process.exited).toEqual({ code: 1, signal: null });
		// The process did not exit because the 10 s for handlers were over.
		expect(performance.now() - begin).toBeLessThan(5_000);
		expect(node.process.reports).toEqual(['job begun']);
	});

	it('both at once, as from a forwarded Ctrl-C, count as one signal', async () => {
		const node = await startSignalledProcess();
		await node.keepBusy();

		node.process.kill('SIGINT');
		node.process.kill('SIGTERM');
		await node.wrote('Stopping on SIG');
		await node.ask({ do: 'releaseHandlers' });
		expect(await codesOf(node)).toEqual([1012]);
		expect(await node.process.exited).toEqual({ code: 0, signal: null });
	});

	it('stop all applications of the process; the exit code is 1 if one fails to stop', async () => {
		const good = await startSignalledProcess({ applications: 2 });
		const bad = await startSignalledProcess({ applications: 2, isStuck: true });
		for (const { process } of [good, bad]) process.kill('SIGTERM');

		expect(await codesOf(good)).toEqual([1012, 1012]);
		expect(await codesOf(bad)).toEqual([1012, 1012]);
		expect(await good.process.exited).toEqual({ code: 0, signal: null });
		expect(await bad.process.exited).toEqual({ code: 1, signal: null });
		for (const { process } of [good, bad])
			expect(new Set(process.reports)).toEqual(new Set(['shut down 0', 'shut down 1']));
		expect(bad.process.output()).toContain('The application failed to stop cleanly');
		expect(bad.process.output()).toContain('hangs on');
	});

	it('have one listener for any number of applications, so that Node does not warn of a leak', async () => {
		const node = await startSignalledProcess({ applications: 20 });
		expect(await node.ask({ do: 'listeners' })).toEqual([1, 1]);

		node.process.kill('SIGTERM');
		expect(await codesOf(node)).toEqual(Array(20).fill(1012));
		expect(await node.process.exited).toEqual({ code: 0, signal: null });
		expect(node.process.reports).toHaveLength(20);
	});

	it('have a listener until the last application has stopped, then end the process as by default', async () => {
		const node = await startSignalledProcess({ applications: 2 });
		await node.ask({ do: 'stop', count: 1 });
		expect(await node.ask({ do: 'listeners' })).toEqual([1, 1]);
		await node.ask({ do: 'stop', count: 2 });
		expect(await node.ask({ do: 'listeners' })).toEqual([0, 0]);

		node.process.kill('SIGTERM');
		expect(await node.process.exited).toMatchObject({ signal: 'SIGTERM' });
	});
});
