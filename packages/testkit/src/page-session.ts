import type { CDPSession, Page } from 'playwright-core';

const sessions = new WeakMap<Page, Promise<CDPSession>>();

/** Returns the page's only session. It stays open, because emulation ends with the session that started it. */
export function pageSession(page: Page): Promise<CDPSession> {
	const known = sessions.get(page);
	if (known) return known;
	const session = page.context().newCDPSession(page);
	sessions.set(page, session);
	return session;
}
