import { expect, test } from 'vitest';
import { type Admin, openAdmin } from './admin.ts';
import { MODERATOR_KEY } from './nodes.ts';
import { onTwoNodes } from './on-two-nodes.ts';

/** For tests that wait until someone has left, which takes 5 s each time. */
const LEAVING_MS = 40_000;

const { come, nodes, open } = onTwoNodes();

function admin(key?: string): Promise<Admin> {
	return open((chromium) => openAdmin(chromium, nodes.one, key));
}

test('the page asks for the key, and shows nothing without it', async () => {
	await come('Grace', 'two');
	const mona = await admin();
	await mona.keyField.waitFor();
	for (const wrong of ['another key', `${MODERATOR_KEY} `]) {
		await mona.enter(wrong);
		await mona.page.getByText('That is not the key.').waitFor();
	}
	expect(await mona.nodes.count()).toBe(0);
	expect(await mona.connections.count()).toBe(0);
	await mona.enter(MODERATOR_KEY);
	await mona.connections.filter({ hasText: 'Grace' }).waitFor();
	await mona.page.reload();
	await mona.connections.filter({ hasText: 'Grace' }).waitFor();
});

test('nodes and connections of all nodes are listed', async () => {
	await come('Ada', 'one');
	const mona = await admin(MODERATOR_KEY);
	await mona.nodes.filter({ hasText: nodes.two.name }).waitFor();
	expect(await mona.nodes.count()).toBe(2);
	expect(await mona.nodes.first().textContent()).toMatch(`${nodes.one.name} this page`);
	await mona.connection('Ada', nodes.one).filter({ hasText: 'room:lobby' }).waitFor();

	const grace = await come('Grace', 'two');
	await mona.connection('Grace', nodes.two).waitFor();
	expect(await mona.connections.count()).toBe(3);
	expect(await mona.partial.textContent()).toBe('');
	await grace.page.close();
	await mona.connection('Grace', nodes.two).waitFor({ state: 'detached' });
});

test('a user of the other node is kicked out of the room, and can come back', { timeout: LEAVING_MS }, async () => {
	const ada = await come('Ada', 'one');
	const grace = await come('Grace', 'two');
	const mona = await admin(MODERATOR_KEY);
	await mona.kick('Grace');
	await mona.outcome.getByText('Grace was removed from #lobby.').waitFor();
	await grace.log.getByText('A moderator has removed you from this room.').waitFor();
	await ada.person('Grace', nodes.two).waitFor({ state: 'detached' });
	expect(await grace.state.textContent()).toBe(nodes.two.name);

	await grace.log.getByRole('button', { name: 'Come back' }).click();
	await ada.person('Grace', nodes.two).waitFor();
});

test(
	'a user of the other node is banned: their page says why, and they stay out until the ban is lifted',
	{ timeout: LEAVING_MS },
	async () => {
		const ada = await come('Ada', 'one');
		const grace = await come('Grace', 'two');
		await ada.person('Grace', nodes.two).waitFor();
		const mona = await admin(MODERATOR_KEY);
		await mona.ban('Grace', 'Too many bugs');
		await mona.outcome.getByText('Grace is banned. 1 connection was ended.').waitFor();

		await grace.log.getByText('You were banned: Too many bugs').waitFor();
		await grace.state.getByText('Banned').waitFor();
		await ada.person('Grace', nodes.two).waitFor({ state: 'detached' });
		await grace.page.getByRole('button', { name: 'Connect again' }).click();
		await grace.log.getByText('You are banned').waitFor();
		// The ban holds on each node, and after a reload.
		await grace.page.reload();
		await grace.state.getByText('Banned').waitFor();
		await mona.bans.filter({ hasText: 'Grace' }).filter({ hasText: 'Too many bugs' }).waitFor();
		expect(await mona.connection('Grace', nodes.two).count()).toBe(0);

		await mona.page.getByRole('button', { name: 'Lift the ban of Grace' }).click();
		await mona.bans.first().waitFor({ state: 'detached' });
		await grace.page.getByRole('button', { name: 'Connect again' }).click();
		await ada.person('Grace', nodes.two).waitFor();
	},
);

test('a node that does not answer is named, and its banned user is out as soon as it is back', async () => {
	const grace = await come('Grace', 'two');
	const mona = await admin(MODERATOR_KEY);
	await mona.connection('Grace', nodes.two).waitFor();
	nodes.two.process.freeze();
	await mona.ban('Grace', 'Too many bugs');
	await mona.outcome.getByText('Grace is banned. 0 connections were ended. 1 of 2 nodes did not answer.').waitFor();
	await mona.partial.getByText(`1 of 2 nodes did not answer. Not shown: ${nodes.two.name}.`).waitFor();

	nodes.two.process.thaw();
	await grace.state.getByText('Banned').waitFor();
	await mona.nodes.filter({ hasText: nodes.two.name }).waitFor();
	await mona.partial.getByText('did not answer').waitFor({ state: 'detached' });
});
