import type { Page } from 'playwright-core';
import { pageSession } from './page-session.ts';

/**
 * `navigator.onLine` is false, `offline` fires, and new connections fail, those of its dedicated workers too. Open WebSockets
 * are not cut: what either side sends waits until the page is back online, without an event. Other pages stay online.
 */
export async function takeOffline(page: Page): Promise<void> {
	await setOffline(page, true);
}

/** The undo of `takeOffline`: `online` fires, and what waited in open WebSockets arrives. */
export async function bringOnline(page: Page): Promise<void> {
	await setOffline(page, false);
}

/**
 * Minimizes the page's window: `visibilitychange`, `blur`, and timers that fire once a second at most. Only for pages of
 * `Chromium.openPage`; hides every tab of a window.
 */
export async function hidePage(page: Page): Promise<void> {
	await setWindow(page, 'minimized');
}

/** The undo of `hidePage`. */
export async function showPage(page: Page): Promise<void> {
	await setWindow(page, 'normal');
}

/**
 * Hides the page and suspends it, as browsers do with those that are hidden for long: `freeze`, and from then on no timer,
 * event or message. To the other side, its WebSockets are open all the while. `page.evaluate` works all the same, but MUST NOT
 * await what a frozen page does.
 */
export async function freezePage(page: Page): Promise<void> {
	await hidePage(page);
	await setLifecycle(page, 'frozen');
}

/**
 * `resume`. The page stays hidden, as in browsers until somebody looks at it. Chromium now cuts the WebSockets that were open
 * (1006 for the page, 1001 for the other side), and what was sent to the frozen page is lost, but for its first moments.
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
