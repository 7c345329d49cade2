import { type Chromium, launchChromium, type PageErrors } from '@orijs/testkit';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { startTwoNodes, type TwoNodes } from './nodes.ts';
import { visit, type VisitOptions, type Visitor } from './visitor.ts';

/** Someone who uses a page. */
interface Opened {
	readonly page: Page;
	readonly errors: PageErrors;
}

export interface OnTwoNodes {
	/** The nodes of the present test. */
	readonly nodes: Omit<TwoNodes, 'stop'>;
	/** Opens a node's page as a visitor. */
	come(name: string, node: 'one' | 'two', options?: VisitOptions): Promise<Visitor>;
	/** Opens another page, and closes it after the test. */
	open<T extends Opened>(opening: (chromium: Chromium) => Promise<T>): Promise<T>;
}

/** Starts two nodes for each test of a file. After it, closes the pages, none of which may have uncaught errors. */
export function onTwoNodes(): OnTwoNodes {
	let chromium: Chromium;
	let started: TwoNodes;
	const pages: Opened[] = [];

	beforeAll(async () => {
		chromium = await launchChromium();
	});
	beforeEach(async () => {
		started = await startTwoNodes();
	});
	afterEach(async () => {
		const errors = pages.flatMap(({ errors }) => errors.uncaught);
		await Promise.all(pages.splice(0).map(({ page }) => page.close()));
		await started.stop();
		expect(errors).toEqual([]);
	});
	afterAll(() => chromium.close());

	async function open<T extends Opened>(opening: (chromium: Chromium) => Promise<T>): Promise<T> {
		const opened = await opening(chromium);
		pages.push(opened);
		return opened;
	}
	return {
		nodes: {
			get one() {
				return started.one;
			},
			get two() {
				return started.two;
			},
			get redis() {
				return started.redis;
			},
		},
		open,
		come: (name, node, options) => open((browser) => visit(browser, started[node].url, name, options)),
	};
}
