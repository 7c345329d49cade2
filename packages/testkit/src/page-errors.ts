import type { Page } from 'playwright-core';

export interface PageErrors {
	/** The uncaught exceptions and rejections so far, with their stacks. */
	readonly uncaught: readonly string[];
	/** The messages of `console.error` so far, and of Chromium's own errors, such as a failed connection. */
	readonly logged: readonly string[];
}

/** Collects all errors from now on, so it should be called before the page loads anything. */
export function collectErrors(page: Page): PageErrors {
	const uncaught: string[] = [];
	const logged: string[] = [];
	page.on('pageerror', (error) => uncaught.push(error.stack ?? String(error)));
	page.on('console', (message) => {
		if (message.type() === 'error') logged.push(message.text());
	});
	return { uncaught, logged };
}
