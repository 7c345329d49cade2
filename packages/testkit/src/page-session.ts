import type { CDPSession, Page } from 'playwright-core';

const sessions = new WeakMap<Page, Promise<CDPSession>>();

/** Returns the page's CDP session, one per page. It stays open, because emulation ends with its session. */
export function pageSession(page: Page): Promise<CDPSession> {
	const known = sessions.get(page);
	if (known) return known;
	const session = page.context().newCDPSession(page);
	sessions.set(page, session);
	return session;
}
