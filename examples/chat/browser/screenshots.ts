/** Takes the screenshots in docs/images, of visitors who talk to each other on two nodes. */
import { type Chromium, launchChromium } from '@orijs/testkit';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { openAdmin } from './admin.ts';
import { MODERATOR_KEY, startTwoNodes, type TwoNodes } from './nodes.ts';
import { setScreen, visit, type Visitor } from './visitor.ts';

const PORTS = [3001, 3002] as const;
const PIXEL_RATIO = 1.5;
const DESKTOP = { width: 1180, height: 680, pixelRatio: PIXEL_RATIO } as const;
const PHONE = { width: 390, height: 760, pixelRatio: PIXEL_RATIO } as const;

const nodes = await startTwoNodes(PORTS);
const chromium = await launchChromium();
try {
	await makeAll(chromium, nodes);
} finally {
	await chromium.close();
	await nodes.stop();
}

async function makeAll(chromium: Chromium, { one, two }: TwoNodes): Promise<void> {
	const ada = await visit(chromium, one.url, 'Ada', DESKTOP);
	const adaInTheDark = await visit(chromium, one.url, 'Barbara', { ...DESKTOP, scheme: 'dark' });
	const grace = await visit(chromium, two.url, 'Grace', PHONE);
	const everyone = [ada, adaInTheDark, grace];
	const tell = async (from: Visitor, text: string): Promise<void> => {
		await from.say(text);
		for (const visitor of everyone) await visitor.message(text).waitFor();
	};
	for (const visitor of everyone) await visitor.person('Grace', two).waitFor();

	await tell(ada, 'Is anyone on the other node?');
	await tell(grace, 'Here! Same room, another process.');
	await tell(grace, 'Redis carried this to you.');
	await tell(ada, 'Came at once. What did you have to change?');
	await tell(grace, 'One line: the provider.');
	await tell(ada, 'And if I restart my node now?');
	await grace.composer.fill('');
	await grace.composer.pressSequentially('Try it');
	for (const visitor of [ada, adaInTheDark]) await visitor.typing.getByText('Grace is typing').waitFor();
	await make(ada.page, 'chat');

	const admin = await openAdmin(chromium, one, MODERATOR_KEY);
	await setScreen(admin.page, DESKTOP);
	await admin.connection('Grace', two).waitFor();
	await make(admin.page, 'chat-admin');
	await admin.page.close();

	await ada.composer.fill('');
	await ada.page.getByRole('button', { name: 'Restart this node' }).click();
	await ada.state.getByText(/^(Reconnecting|Trying again)/).waitFor();
	await grace.say('Now?');
	for (const { log } of [ada, adaInTheDark]) await log.getByText('came while you were away').waitFor();
	for (const visitor of everyone) await visitor.person('Ada', one).waitFor();
	await tell(ada, 'Gone for a second, and back in the room.');
	await tell(adaInTheDark, 'Me too, without touching anything.');
	await adaInTheDark.person('Grace', two).waitFor();
	await make(adaInTheDark.page, 'chat-dark');
	await make(grace.page, 'chat-phone');
}

async function make(page: Page, name: string): Promise<void> {
	const path = fileURLToPath(new URL(`../../../docs/images/${name}.png`, import.meta.url));
	await page.mouse.move(0, 0);
	await page.screenshot({ path, caret: 'hide' });
	console.log(path, `${Math.round(Bun.file(path).size / 1024)} KiB`);
}
