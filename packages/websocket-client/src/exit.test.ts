import { spawnBun } from '@orijs/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { StageHost } from './test-support/stage-host.ts';

/** Much less than any timer of the client that could be left, and room for a process to start. */
const SOON_MS = 8_000;

async function exitOf(stage: StageHost, how: string): Promise<string> {
	const child = spawnBun(new URL('test-support/fixtures/closes.ts', import.meta.url), { args: [stage.url, how] });
	const began = performance.now();
	expect(await child.exited).toMatchObject({ code: 0 });
	expect(performance.now() - began).toBeLessThan(SOON_MS);
	return child.output().trim();
}

describe('a closed client keeps no process alive', () => {
	it('after it was ready, with a request under way', async () => {
		const stage = await StageHost.start();
		onTestFinished(() => stage.end());
		await stage.serve();
		expect(await exitOf(stage, 'when ready')).toBe('3\nclosed');
	});

	it('right after connect()', async () => {
		const stage = await StageHost.start();
		onTestFinished(() => stage.end());
		await stage.serve();
		expect(await exitOf(stage, 'at once')).toBe('closed');
	});

	it('while it waits for the next try', async () => {
		const stage = await StageHost.start();
		onTestFinished(() => stage.end());
		expect(await exitOf(stage, 'while it waits')).toBe('closed');
	});

	it('over a link that is dead', async () => {
		const stage = await StageHost.start();
		onTestFinished(() => stage.end());
		await stage.serve();
		await stage.link('freeze');
		expect(await exitOf(stage, 'at once')).toBe('closed');
	});
});
