import {
	type Chromium,
	collectErrors,
	launchChromium,
	type Page,
	type PageErrors,
	type ServedPage,
	servePage,
} from '@orijs/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scenarios } from '../../src/test-support/scenarios/index.ts';
import { type StageControl, startStageControl } from '../../src/test-support/stage-control.ts';

let served: ServedPage;
let control: StageControl;
let chromium: Chromium;

beforeAll(async () => {
	served = await servePage(new URL('page.ts', import.meta.url));
	control = startStageControl(new URL(served.url).origin);
	chromium = await launchChromium();
});

afterAll(async () => {
	await chromium.close();
	await control.stop();
	await served.stop();
});

describe.each(Object.entries(scenarios))('%s', (group, titles) => {
	let page: Page;
	let errors: PageErrors;

	beforeAll(async () => {
		page = await chromium.openPage();
		errors = collectErrors(page);
		await page.goto(served.url);
	});

	afterAll(() => page.close());

	it.concurrent.each(Object.keys(titles))('%s', async (title) => {
		const wrong = await page.evaluate((args) => globalThis.page.run(...args), [group, title, control.url] as const);
		expect(wrong).toBeUndefined();
	});

	it('and nothing went uncaught in the page', () => {
		expect(errors.uncaught).toEqual([]);
	});
});
