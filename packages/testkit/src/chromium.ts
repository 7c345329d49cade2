import type { Browser, BrowserContext, CDPSession, Page } from 'playwright-core';
import { startChromium } from './chromium-process.ts';
import type { OwnedProcess } from './owned-process.ts';
import { pageSession } from './page-session.ts';
import { profileDir } from './profile-dir.ts';
import type { ProfileDir } from './profile-dir.ts';

export interface ChromiumOptions {
	/** Milliseconds until it must accept commands; default 20000. */
	timeoutMs?: number;
}

export interface PageOptions {
	/** Its own cookies and storage, as in a private window; default `false`: those of the profile. */
	incognito?: boolean;
}

/** A real headless Chromium with an empty profile. It never outlives the test. */
export interface Chromium {
	readonly pid: number;
	/**
	 * Playwright's browser. Pages of its `newPage` and `newContext` always stay visible, focused and awake: `hidePage`
	 * and `freezePage` have no effect on them. Pages of `openPage` behave as they do for users.
	 */
	readonly browser: Browser;
	/** Opens a page in a separate window, so that it is visible until something hides it. */
	openPage(options?: PageOptions): Promise<Page>;
	/** Returns the last 64 KiB of its log. */
	log(): string;
	/** Ends the process and removes the profile. Idempotent. */
	close(): Promise<void>;
}

/**
 * Resolves when it accepts commands. Rejects with `ChromiumStartError`, which includes its log, if it does not start.
 */
export async function launchChromium({ timeoutMs = 20_000 }: ChromiumOptions = {}): Promise<Chromium> {
	const profile = profileDir();
	let process: OwnedProcess | undefined;
	try {
		const running = await startChromium(profile.path, timeoutMs);
		({ process } = running);
		// Imported here: it is slow to load, and most users of testkit need no browser.
		const { chromium } = await import('playwright-core');
		// Without `noDefaults`, Playwright emulates focus on every page, and pages can't be hidden.
		const browser = await chromium.connectOverCDP(running.endpoint, {
			noDefaults: true,
			artifactsDir: profile.path,
			timeout: timeoutMs,
		});
		return await chromiumOf(browser, process, profile);
	} catch (error) {
		await process?.stop();
		profile.remove();
		throw error;
	}
}

async function chromiumOf(browser: Browser, process: OwnedProcess, profile: ProfileDir): Promise<Chromium> {
	const [context] = browser.contexts();
	if (context === undefined) throw new Error('this Chromium has no default context to open pages in');
	const root = await browser.newBrowserCDPSession();
	let closing: Promise<void> | undefined;

	const close = async (): Promise<void> => {
		await browser.close().catch(() => {}); // It may have exited already.
		await process.stop();
		profile.remove();
	};
	return {
		pid: process.pid,
		browser,
		openPage: ({ incognito = false } = {}) => openPage(root, context, incognito),
		log: () => process.output(),
		close: () => (closing ??= close()),
	};
}

/** Playwright can't open a window, and lists pages of contexts that it did not create under the profile's context. */
async function openPage(root: CDPSession, context: BrowserContext, incognito: boolean): Promise<Page> {
	const storage = incognito ? await root.send('Target.createBrowserContext', { disposeOnDetach: true }) : {};
	const created = Promise.withResolvers<string>();
	const opened = context.waitForEvent('page', {
		predicate: async (page) => (await targetId(page)) === (await created.promise),
	});
	const { targetId: id } = await root.send('Target.createTarget', { url: 'about:blank', newWindow: true, ...storage });
	created.resolve(id);
	return await opened;
}

/** Returns `undefined` if the page has been closed. */
async function targetId(page: Page): Promise<string | undefined> {
	try {
		const session = await pageSession(page);
		return (await session.send('Target.getTargetInfo')).targetInfo.targetId;
	} catch {
		return undefined;
	}
}
