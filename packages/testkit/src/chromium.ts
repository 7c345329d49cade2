import type { Browser, BrowserContext, CDPSession, Page } from 'playwright-core';
import { startChromium } from './chromium-process.ts';
import type { OwnedProcess } from './owned-process.ts';
import { pageSession } from './page-session.ts';
import { profileDir } from './profile-dir.ts';
import type { ProfileDir } from './profile-dir.ts';

export interface ChromiumOptions {
	/** How long Chromium may take to start accepting commands, in milliseconds. Default 20000. */
	timeoutMs?: number;
}

export interface PageOptions {
	/**
	 * Whether the page has its own cookies and storage, as in a private window, instead of those of the profile. Default
	 * `false`.
	 */
	incognito?: boolean;
}

/** A real headless Chromium with an empty profile. It never outlives the test. */
export interface Chromium {
	readonly pid: number;
	/**
	 * Playwright's browser. Pages created with its `newPage` or `newContext` always stay visible, focused and awake:
	 * `hidePage` and `freezePage` have no effect on them. Pages created with `openPage` behave as they do for users.
	 */
	readonly browser: Browser;
	/** Opens a page in a separate window, so that it is visible until something hides it. */
	openPage(options?: PageOptions): Promise<Page>;
	/** Returns the last 64 KiB of Chromium's log. */
	log(): string;
	/** Ends the process and removes the profile. Can be called more than once. */
	close(): Promise<void>;
}

/**
 * Starts a Chromium. Resolves once it accepts commands. If it does not start, rejects with a `ChromiumStartError`,
 * which includes its log.
 */
export async function launchChromium({ timeoutMs = 20_000 }: ChromiumOptions = {}): Promise<Chromium> {
	const profile = profileDir();
	let process: OwnedProcess | undefined;
	try {
		const running = await startChromium(profile.path, timeoutMs);
		({ process } = running);
		// Imported only here, because it is slow to load and most users of the testkit need no browser.
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
		await browser.close().catch(() => {}); // Chromium may have exited already.
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

/**
 * Opens a page in a new window over CDP, because Playwright can't open windows. Playwright lists the pages of contexts
 * that it did not create under the profile's context.
 */
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

/** Returns the page's target id, or `undefined` if the page has been closed. */
async function targetId(page: Page): Promise<string | undefined> {
	try {
		const session = await pageSession(page);
		return (await session.send('Target.getTargetInfo')).targetInfo.targetId;
	} catch {
		return undefined;
	}
}
