import { expect, test } from 'vitest';
import { onTwoNodes } from './on-two-nodes.ts';
import type { Visitor } from './visitor.ts';

/** A killed node's members leave within this time, in milliseconds. */
const KILLED_MS = 15_000;
/** How long a page may take to show it. */
const SHOWN_MS = 1_000;

/** For each test: members leave after 5 s, and the two nodes take a while to start. */
const TIMEOUT_MS = 60_000;

const { come, nodes } = onTwoNodes();

/** Two visitors of two nodes, who see each other. */
async function two(): Promise<readonly [Visitor, Visitor]> {
	const [ada, grace] = [await come('Ada', 'one'), await come('Grace', 'two')];
	for (const visitor of [ada, grace]) {
		await visitor.person('Ada', nodes.one).waitFor();
		await visitor.person('Grace', nodes.two).waitFor();
	}
	return [ada, grace];
}

test('members come and go, once each, on the pages of both nodes', { timeout: TIMEOUT_MS }, async () => {
	const both = await two();
	const recorded = await Promise.all(both.map((visitor) => visitor.recordPeople()));
	const barbara = await come('Barbara', 'two');
	for (const visitor of both) await visitor.person('Barbara', nodes.two).waitFor();
	await barbara.page.close();

	for (const visitor of both) await visitor.person('Barbara', nodes.two).waitFor({ state: 'detached' });
	for (const changes of recorded) expect(await changes()).toEqual(['+Barbara', '-Barbara']);
});

test('a visitor who reloads, or opens a second tab, has never been away', { timeout: TIMEOUT_MS }, async () => {
	const [ada, grace] = await two();
	const changes = await grace.recordPeople();
	await ada.page.reload();
	await ada.person('Grace', nodes.two).waitFor();
	// A tab with the same storage.
	const opened = ada.page.waitForEvent('popup');
	await ada.page.evaluate('void open(location.href)');
	const tab = await opened;
	await grace.person('Ada', nodes.one).getByText('×2').waitFor();
	expect(await grace.people.getByRole('listitem').count()).toBe(2);
	await tab.close();
	await ada.page.close();

	await grace.person('Ada', nodes.one).waitFor({ state: 'detached' });
	expect(await changes()).toEqual(['-Ada']);
});

test(
	'who stops typing is soon no longer shown as typing, without sending anything',
	{ timeout: TIMEOUT_MS },
	async () => {
		const [ada, grace] = await two();
		await ada.composer.pressSequentially('Well');
		await grace.typing.getByText('Ada is typing').waitFor();
		expect(await ada.typing.textContent()).toBe('');

		await grace.typing.getByText('Ada').waitFor({ state: 'detached' });
		await ada.composer.pressSequentially('…');
		await grace.typing.getByText('Ada is typing').waitFor();
	},
);

test('the restart of a node is not seen by the others', { timeout: TIMEOUT_MS }, async () => {
	const [ada, grace] = await two();
	const changes = await grace.recordPeople();
	await ada.page.getByRole('button', { name: 'Restart this node' }).click();
	await ada.state.getByText(/^(Reconnecting|Trying again)/).waitFor();
	await ada.state.getByText(nodes.one.name).waitFor();
	await ada.person('Grace', nodes.two).waitFor();
	await ada.page.close();

	await grace.person('Ada', nodes.one).waitFor({ state: 'detached' });
	expect(await changes()).toEqual(['-Ada']);
});

test('the visitors of a killed node leave, and no one else', { timeout: TIMEOUT_MS }, async () => {
	const [, grace] = await two();
	const barbara = await come('Barbara', 'two');
	const changes = await grace.recordPeople();
	await barbara.person('Ada', nodes.one).waitFor();
	nodes.one.process.kill('SIGKILL');

	for (const visitor of [grace, barbara]) {
		await visitor.person('Ada', nodes.one).waitFor({ state: 'detached', timeout: KILLED_MS + SHOWN_MS });
	}
	expect(await changes()).toEqual(['-Ada']);
});

test('without Redis no one disappears, and the list is marked as out of date', { timeout: TIMEOUT_MS }, async () => {
	const both = await two();
	const recorded = await Promise.all(both.map((visitor) => visitor.recordPeople()));
	await nodes.redis.kill();
	for (const { page } of both) await page.locator('.people.stale').waitFor();

	await nodes.redis.restart();
	for (const { page } of both) await page.locator('.people:not(.stale)').waitFor();
	for (const changes of recorded) expect(await changes()).toEqual([]);
});
