import type { CDPSession, Page } from 'playwright-core';

const sessions = new WeakMap<Page, Promise<CDPSession>>();

/** One for each page, kept: what is emulated through a session ends with it. */
export function pageSession(page: Page): Promise<CDPSession> {
	const known = sessions.get(page);
	if (known) return known;
	const session = page.context().newCDPSession(page);
	sessions.set(page, session);
	return session;
}
