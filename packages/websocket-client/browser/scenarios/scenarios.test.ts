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
import { type TestServerControl, startTestServerControl } from '../../src/test-support/test-server-control.ts';

let served: ServedPage;
let control: TestServerControl;
let chromium: Chromium;

beforeAll(async () => {
	served = await servePage(new URL('page.ts', import.meta.url));
	control = startTestServerControl(new URL(served.url).origin);
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
		const failure = await page.evaluate((args) => globalThis.page.run(...args), [group, title, control.url] as const);
		expect(failure).toBeUndefined();
	});

	it('leaves no uncaught error in the page', () => {
		expect(errors.uncaught).toEqual([]);
	});
});
