import type { Page } from 'playwright-core';

export interface PageErrors {
	/** Uncaught exceptions and rejections, with their stacks. Grows. */
	readonly uncaught: readonly string[];
	/** Messages of `console.error`, and Chromium's own errors, such as a failed connection. Grows. */
	readonly logged: readonly string[];
}

/** Collects errors from now on: call it before the page loads anything. */
export function collectErrors(page: Page): PageErrors {
	const uncaught: string[] = [];
	const logged: string[] = [];
	page.on('pageerror', (error) => uncaught.push(error.stack ?? String(error)));
	page.on('console', (message) => {
		if (message.type() === 'error') logged.push(message.text());
	});
	return { uncaught, logged };
}
