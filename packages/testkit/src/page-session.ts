import type { CDPSession, Page } from 'playwright-core';

const sessions = new WeakMap<Page, Promise<CDPSession>>();

/**
 * Resolves with the page's CDP session. There is one session per page, which stays open because emulated conditions end
 * with their session.
 */
export function pageSession(page: Page): Promise<CDPSession> {
	const known = sessions.get(page);
	if (known) return known;
	const session = page.context().newCDPSession(page);
	sessions.set(page, session);
	return session;
}
