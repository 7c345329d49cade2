import { spawnBun } from '@orijs/testkit';
import { expect, it } from 'vitest';

it('a stopped application does not keep the process alive', async () => {
	const child = spawnBun(new URL('../test-support/start-and-stop.ts', import.meta.url));

	const begin = performance.now();
	expect(await child.exited).toMatchObject({ code: 0 });
	expect(child.reports).toEqual(['stopped']);
	// A timer left over from an upgrade (60 s) or from stop() (5 s) would keep the process alive longer.
	expect(performance.now() - begin).toBeLessThan(4_500);
});
