import { expect, it } from 'vitest';
import { quiet } from '../support/promises.ts';
import { watchUnhandledRejections } from './unhandled-rejections.ts';

it('the watch sees an unhandled rejection, and no handled one', async () => {
	const watch = watchUnhandledRejections();
	const unhandled = new Error('unhandled, on purpose');
	void Promise.reject(unhandled);
	void quiet(Promise.reject(new Error('handled')));

	expect(await watch.seen()).toEqual([unhandled]);
});
