import type { Browser, BrowserContext, CDPSession, Page } from 'playwright-core';
import { startChromium } from './chromium-process.ts';
import type { OwnedProcess } from './owned-process.ts';
import { pageSession } from './page-session.ts';
import { profileDir } from './profile-dir.ts';
import type { ProfileDir } from './profile-dir.ts';

export interface ChromiumOptions {
	/** Milliseconds until it must take commands; default 20000. */
	timeoutMs?: number;
}

export interface PageOptions {
	/** Cookies and storage of its own, as in a private window; default `false`: those of the profile. */
	incognito?: boolean;
}

/** A real headless Chromium with an empty profile. It can't outlive the test. */
export interface Chromium {
	readonly pid: number;
	/**
	 * Playwright's. Its `newPage` and `newContext` make pages that Playwright keeps visible, focused and awake whatever
	 * happens: `hidePage` and `freezePage` do nothing to them. Those of `openPage` are as people have them.
	 */
	readonly browser: Browser;
	/** A page in a window of its own, so that it is visible until something hides it. */
	openPage(options?: PageOptions): Promise<Page>;
	/** The last 64 KiB of what it logged. */
	log(): string;
	/** The end of it: process and profile are gone. Twice is fine. */
	close(): Promise<void>;
}

/** Resolves when it takes commands. Rejects with `ChromiumStartError`, which shows its log, when it does not come up. */
export async function launchChromium({ timeoutMs = 20_000 }: ChromiumOptions = {}): Promise<Chromium> {
	const profile = profileDir();
	let process: OwnedProcess | undefined;
	try {
		const running = await startChromium(profile.path, timeoutMs);
		({ process } = running);
		// Only now: it takes long to load, and most who import the testkit want no browser.
		const { chromium } = await import('playwright-core');
		// Without `noDefaults`, Playwright feigns focus on every page, and none can be hidden.
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
	if (context === undefined) throw new Error('this Chromium has no profile to open pages in');
	const root = await browser.newBrowserCDPSession();
	let closing: Promise<void> | undefined;

	const close = async (): Promise<void> => {
		await browser.close().catch(() => {}); // It may have ended by itself.
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

/** Playwright has no call for a new window, and counts pages of storages it did not make to the profile's. */
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

/** `undefined` for one that is gone already. */
async function targetId(page: Page): Promise<string | undefined> {
	try {
		const session = await pageSession(page);
		return (await session.send('Target.getTargetInfo')).targetInfo.targetId;
	} catch {
		return undefined;
	}
}
