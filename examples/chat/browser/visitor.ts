import { type Chromium, collectErrors, type PageErrors } from '@orijs/testkit';
import type { Locator, Page } from 'playwright-core';
import type { ChatNode } from './nodes.ts';

/** A visitor who uses the chat's page. */
export interface Visitor {
	readonly page: Page;
	readonly errors: PageErrors;
	readonly composer: Locator;
	/** The connection state that the page shows. */
	readonly state: Locator;
	readonly log: Locator;
	readonly people: Locator;
	readonly typing: Locator;
	say(text: string): Promise<void>;
	/** The message in the log with exactly this text. */
	message(text: string): Locator;
	/** The person's entry in the list of people in the room. */
	person(name: string, node: ChatNode): Locator;
	/** The texts in the log, in order. */
	entries(): Promise<string[]>;
	/**
	 * Starts to record who comes to the list of people, and who goes. The returned function returns that, as in `+Ada`
	 * and `-Ada`.
	 */
	recordPeople(): Promise<() => Promise<string[]>>;
}

/** A script for the page, which looks at the list after each change of it. */
const RECORD_PEOPLE = `
	const list = document.querySelector('#people');
	const names = () => [...list.querySelectorAll('.name')].map((name) => name.textContent);
	let before = names();
	window.recorded = [];
	new MutationObserver(() => {
		const now = names();
		recorded.push(...now.filter((name) => !before.includes(name)).map((name) => '+' + name));
		recorded.push(...before.filter((name) => !now.includes(name)).map((name) => '-' + name));
		before = now;
	}).observe(list, { childList: true });
`;

export interface ScreenOptions {
	readonly width?: number;
	readonly height?: number;
	readonly scheme?: 'light' | 'dark';
	/** The device pixel ratio. */
	readonly pixelRatio?: number;
}

export interface VisitOptions extends ScreenOptions {
	/** Makes the visitor a moderator. */
	readonly key?: string;
}

/** Opens a page with its own storage and enters a name. Resolves once the visitor is in the room. */
export async function visit(
	chromium: Chromium,
	url: string,
	name: string,
	options: VisitOptions = {},
): Promise<Visitor> {
	const page = await chromium.openPage({ incognito: true });
	const errors = collectErrors(page);
	await setScreen(page, options);
	const { key } = options;
	await page.goto(key === undefined ? url : `${url}/?key=${encodeURIComponent(key)}`);
	await page.getByLabel('Your name').fill(name);
	await page.keyboard.press('Enter');
	const composer = page.getByLabel('Your message');
	const visitor: Visitor = {
		page,
		errors,
		composer,
		state: page.locator('#state-text'),
		log: page.getByRole('log'),
		people: page.locator('#people'),
		typing: page.locator('#typing'),
		async say(text) {
			await composer.fill(text);
			await composer.press('Enter');
		},
		message: (text) => page.locator('.text').filter({ hasText: new RegExp(`^${RegExp.escape(text)}$`) }),
		person: (name, node) => page.locator('.person').filter({ hasText: name }).filter({ hasText: node.name }),
		entries: () => page.locator('.text, .notice').allTextContents(),
		async recordPeople() {
			await page.evaluate(RECORD_PEOPLE);
			return () => page.evaluate('recorded');
		},
	};
	await page.locator('#state[data-state=connected]').waitFor();
	return visitor;
}

export async function setScreen(
	page: Page,
	{ width, height = 800, scheme = 'light', pixelRatio = 1 }: ScreenOptions,
): Promise<void> {
	await page.emulateMedia({ colorScheme: scheme });
	if (width === undefined) return;
	const session = await page.context().newCDPSession(page);
	await session.send('Emulation.setDeviceMetricsOverride', {
		width,
		height,
		deviceScaleFactor: pixelRatio,
		mobile: width < 500,
	});
}
