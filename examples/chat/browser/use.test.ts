import { type Chromium, freePort, launchChromium, spawnBun } from '@orijs/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type ChatNode, startChatNode } from './nodes.ts';
import { visit, type VisitOptions, type Visitor } from './visitor.ts';

let chromium: Chromium;
let node: ChatNode;
const visitors: Visitor[] = [];

beforeAll(async () => {
	chromium = await launchChromium();
});
beforeEach(async () => {
	node = await startChatNode(await freePort());
});
afterEach(async () => {
	const errors = visitors.flatMap(({ errors }) => [...errors.uncaught, ...errors.logged]);
	await Promise.all(visitors.splice(0).map(({ page }) => page.close()));
	await node.process.stop();
	expect(errors).toEqual([]);
});
afterAll(() => chromium.close());

async function come(name: string, options?: VisitOptions): Promise<Visitor> {
	const visitor = await visit(chromium, node.url, name, options);
	visitors.push(visitor);
	return visitor;
}

describe.each([
	{ width: 360, height: 740 },
	{ width: 360, height: 380 },
	{ width: 844, height: 390 },
])('on a phone of $width by $height', (size) => {
	test('nothing is wider than the screen, and the composer is always usable', async () => {
		const ada = await come('A-name-without-any-break', size);
		for (const text of [
			'a'.repeat(300),
			'Some words',
			'一'.repeat(300),
			'one\ntwo\nthree\nfour\nfive\nsix\nseven\neight',
		]) {
			await ada.say(text);
		}
		await ada.message('Some words').waitFor();
		await ada.composer.fill('many lines\n'.repeat(10));

		expect(await ada.page.evaluate('document.documentElement.scrollWidth')).toBe(size.width);
		expect(await ada.page.evaluate('document.documentElement.scrollHeight')).toBe(size.height);
		const send = await ada.page.getByRole('button', { name: 'Send' }).boundingBox();
		expect((send?.y ?? Infinity) + (send?.height ?? 0)).toBeLessThanOrEqual(size.height);
		expect((await ada.log.boundingBox())?.height).toBeGreaterThan(40);
		// iOS zooms into fields with a smaller font.
		const sizes = await ada.page.evaluate<string[]>(
			"[...document.querySelectorAll('input, textarea')].map((field) => getComputedStyle(field).fontSize)",
		);
		expect(sizes).toEqual(['16px', '16px', '16px']);
	});
});

test('everything works with the keyboard', async () => {
	const ada = await come('Ada');
	const { keyboard } = ada.page;
	const focused = (): Promise<unknown> =>
		ada.page.evaluate('document.activeElement.id || document.activeElement.textContent');
	expect(await focused()).toBe('text');

	await keyboard.type('One');
	await keyboard.press('Shift+Enter');
	await keyboard.type('two');
	await keyboard.press('Enter');
	await ada.message('One\ntwo').waitFor();
	expect(await ada.composer.inputValue()).toBe('');

	await keyboard.press('Alt+ArrowDown');
	await ada.page.getByRole('heading', { name: 'book-club' }).waitFor();
	expect(await focused()).toBe('text');
	await keyboard.press('Alt+ArrowUp');
	await ada.page.getByRole('heading', { name: 'lobby' }).waitFor();

	const way: unknown[] = [];
	for (let step = 0; step < 12 && way[0] !== 'skip'; step++) {
		await keyboard.press('Shift+Tab');
		way.unshift(await focused());
	}
	expect(way).toEqual(['skip', 'lobby', 'book-club', 'kitchen', 'night-shift', 'room', '→', 'me', 'restart', 'log']);
	const skip = ada.page.locator('#skip');
	expect((await skip.boundingBox())?.y).toBeGreaterThanOrEqual(0);
	expect(await ada.page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid');
	await keyboard.press('Enter');
	expect(await focused()).toBe('text');

	await keyboard.press('Shift+Tab');
	expect(await focused()).toBe('log');
	await keyboard.press('Escape');
	expect(await focused()).toBe('text');
	await ada.page.getByLabel('Another room').focus();
	await keyboard.type('a room of mine');
	await keyboard.press('Enter');
	await ada.page.getByRole('heading', { name: 'a-room-of-mine' }).waitFor();
});

test('the name is asked for once, and can be changed', async () => {
	const ada = await come('Ada');
	const grace = await come('Grace');
	await ada.page.reload();
	await ada.person('Ada', node).waitFor();
	await ada.page.getByRole('button', { name: 'Change name' }).click();
	await ada.page.getByLabel('Your name').fill('  Ada   Byron ');
	await ada.page.keyboard.press('Enter');

	await grace.person('Ada Byron', node).waitFor();
	await ada.say('New name');
	await grace.log.getByText('Ada Byron').waitFor();
	await ada.page.getByRole('button', { name: 'Change name' }).click();
	await ada.page.keyboard.press('Escape');
	expect(await ada.page.locator('#my-name').textContent()).toBe('Ada Byron');
});

test('with a name that the server refuses the page stops connecting, until it gets another one', async () => {
	const ada = await come('Ada');
	await ada.page.evaluate("localStorage.setItem('chat-name', 'a'.repeat(25))");
	await ada.page.reload();
	await ada.state.getByText('Gave up').waitFor();
	await ada.page.getByRole('button', { name: 'Connect again' }).waitFor();
	await ada.page.getByRole('button', { name: 'Change name' }).click();
	await ada.page.getByLabel('Your name').fill('Ada');
	await ada.page.keyboard.press('Enter');

	await ada.state.getByText(node.name).waitFor();
	await ada.page.getByRole('button', { name: 'Connect again' }).waitFor({ state: 'hidden' });
	const grace = await come('Grace');
	await grace.say('Hello');
	await ada.message('Hello').waitFor();
});

test('the log is bounded', async () => {
	const ada = await come('Ada');
	const many = spawnBun(new URL('say-many.ts', import.meta.url), { args: [node.url, '320'] });
	expect(await many.exited).toEqual({ code: 0, signal: null });
	await ada.message('Message 320').waitFor();

	expect(await ada.log.getByRole('listitem').count()).toBe(300);
	expect((await ada.entries())[0]).toBe('Message 21');
});
