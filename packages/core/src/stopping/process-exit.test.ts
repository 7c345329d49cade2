import { spawnBun } from '@orijs/testkit';
import { expect, it } from 'vitest';

it('a stopped application keeps no process alive', async () => {
	const child = spawnBun(new URL('../test-support/start-and-stop.ts', import.meta.url));

	const begin = performance.now();
	expect(await child.exited).toMatchObject({ code: 0 });
	expect(child.reports).toEqual(['stopped']);
	// A timer left behind would be one of upgrade (60 s) or of stop (5 s).
	expect(performance.now() - begin).toBeLessThan(4_500);
});
