import { spawnBun, until } from '@orijs/testkit';
import { expect, test } from 'vitest';

test('a second signal ends what does not stop', async () => {
	const child = spawnBun(new URL('test-support/never-stops.ts', import.meta.url));
	await until(() => child.output() === 'up\n', { what: 'it is up' });
	child.kill('SIGINT');
	await until(() => /Stopping/.test(child.output()), { what: 'it is stopping' });
	child.kill('SIGINT');
	// The first copies are the first signal; those that come later are the second.
	await Bun.sleep(400);
	expect(child.output()).not.toMatch('force.');
	child.kill('SIGTERM');

	expect(await child.exited).toEqual({ code: 1, signal: null });
	expect(child.output()).toMatch(/Stopped by force\.\n$/);
});
