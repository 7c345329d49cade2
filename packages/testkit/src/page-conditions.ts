import type { Page } from 'playwright-core';
import { pageSession } from './page-session.ts';

/**
 * Takes the page and its dedicated workers offline: `navigator.onLine` becomes false, `offline` fires, and new
 * connections fail. Open WebSockets stay open but stall, without an event, until the page is online again. Other pages
 * stay online.
 */
export async function takeOffline(page: Page): Promise<void> {
	await setOffline(page, true);
}

/** Undoes `takeOffline`: `online` fires, and pending messages on open WebSockets arrive. */
export async function bringOnline(page: Page): Promise<void> {
	await setOffline(page, false);
}

/**
 * Minimizes the page's window: `visibilitychange` and `blur` fire, and timers run at most once a second. Hides all tabs
 * of the window. Works only for pages opened with `Chromium.openPage`.
 */
export async function hidePage(page: Page): Promise<void> {
	await setWindow(page, 'minimized');
}

/** Undoes `hidePage`. */
export async function showPage(page: Page): Promise<void> {
	await setWindow(page, 'normal');
}

/**
 * Hides the page and suspends it, as browsers do with pages that have been hidden for a long time: `freeze` fires,
 * followed by no timers, events or messages until `resumePage`. To the other side, the page's WebSockets seem open.
 * `page.evaluate` still works, but MUST NOT await anything that the frozen page does.
 */
export async function freezePage(page: Page): Promise<void> {
	await hidePage(page);
	await setLifecycle(page, 'frozen');
}

/**
 * Undoes the freeze: `resume` fires. The page stays hidden, as in browsers until the user opens it. Chromium closes the
 * WebSockets that were open (1006 for the page, 1001 for the other side). Messages that were sent to the frozen page
 * are lost, except those from the first moments after the freeze.
 */
export async function resumePage(page: Page): Promise<void> {
	await setLifecycle(page, 'active');
}

async function setOffline(page: Page, offline: boolean): Promise<void> {
	const session = await pageSession(page);
	const unlimited = { latency: 0, downloadThroughput: -1, uploadThroughput: -1 };
	await session.send('Network.emulateNetworkConditions', { offline, ...unlimited });
}

async function setWindow(page: Page, windowState: 'minimized' | 'normal'): Promise<void> {
	const session = await pageSession(page);
	const { windowId } = await session.send('Browser.getWindowForTarget');
	await session.send('Browser.setWindowBounds', { windowId, bounds: { windowState } });
}

async function setLifecycle(page: Page, state: 'frozen' | 'active'): Promise<void> {
	const session = await pageSession(page);
	await session.send('Page.setWebLifecycleState', { state });
}
