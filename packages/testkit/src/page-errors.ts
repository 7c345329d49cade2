import type { Page } from 'playwright-core';

export interface PageErrors {
	/** Exceptions and rejections that nobody caught, with their stack. Grows. */
	readonly uncaught: readonly string[];
	/** What was logged with `console.error`, or by Chromium itself, such as a connection that failed. Grows. */
	readonly logged: readonly string[];
}

/** From now on; call it before the page loads anything. */
export function collectErrors(page: Page): PageErrors {
	const uncaught: string[] = [];
	const logged: string[] = [];
	page.on('pageerror', (error) => uncaught.push(error.stack ?? String(error)));
	page.on('console', (message) => {
		if (message.type() === 'error') logged.push(message.text());
	});
	return { uncaught, logged };
}
