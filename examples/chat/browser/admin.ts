import { type Chromium, collectErrors, type PageErrors } from '@orijs/testkit';
import type { Locator, Page } from 'playwright-core';
import type { ChatNode } from './nodes.ts';

/** A moderator who uses the admin page. */
export interface Admin {
	readonly page: Page;
	readonly errors: PageErrors;
	/** What has become of the last action. */
	readonly outcome: Locator;
	/** Which nodes are missing in what the page shows. */
	readonly partial: Locator;
	readonly keyField: Locator;
	/** The rows of nodes, of connections and of bans. */
	readonly nodes: Locator;
	readonly connections: Locator;
	readonly bans: Locator;
	/** The rows of a user's connections to a node. */
	connection(name: string, node: ChatNode): Locator;
	/** Enters the moderators' key. */
	enter(key: string): Promise<void>;
	kick(name: string): Promise<void>;
	ban(name: string, why: string): Promise<void>;
}

/** Opens the admin page of a node. With a key, resolves once the page shows who is connected. */
export async function openAdmin(chromium: Chromium, { url }: ChatNode, key?: string): Promise<Admin> {
	const page = await chromium.openPage({ incognito: true });
	const rows = (id: string): Locator => page.locator(`#${id} tr`);
	const button = (name: string): Locator => page.getByRole('button', { name, exact: true });
	const keyField = page.getByLabel('Key', { exact: true });
	const admin: Admin = {
		page,
		errors: collectErrors(page),
		outcome: page.locator('#outcome'),
		partial: page.locator('#partial'),
		keyField,
		nodes: rows('nodes'),
		connections: rows('connections'),
		bans: rows('bans'),
		connection: (name, node) => rows('connections').filter({ hasText: name }).filter({ hasText: node.name }),
		async enter(wanted) {
			await keyField.fill(wanted);
			await page.keyboard.press('Enter');
		},
		kick: (name) => button(`Kick ${name}`).click(),
		async ban(name, why) {
			await button(`Ban ${name}`).click();
			await page.getByLabel('Why?').fill(why);
			await button('Ban').click();
		},
	};
	await page.goto(`${url}/admin`);
	if (key !== undefined) {
		await admin.enter(key);
		await admin.nodes.first().waitFor();
	}
	return admin;
}
