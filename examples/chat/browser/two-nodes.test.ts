import { bringOnline, takeOffline } from '@orijs/testkit';
import { expect, test } from 'vitest';
import { MODERATOR_KEY } from './nodes.ts';
import { onTwoNodes } from './on-two-nodes.ts';
import type { Visitor } from './visitor.ts';

/** For tests that wait until someone has left, which takes 5 s each time. */
const LEAVING_MS = 40_000;

const { come, nodes } = onTwoNodes();

async function two(): Promise<readonly [Visitor, Visitor]> {
	return [await come('Ada', 'one'), await come('Grace', 'two')];
}

test('visitors of two nodes talk, and see who is here, on which node, and who is typing', async () => {
	const [ada, grace] = await two();
	await ada.person('Grace', nodes.two).waitFor();
	await grace.person('Ada', nodes.one).waitFor();
	expect(await ada.state.textContent()).toBe(nodes.one.name);

	await ada.composer.pressSequentially('Hel');
	await grace.typing.getByText('Ada is typing').waitFor();
	expect(await ada.typing.textContent()).toBe('');
	await ada.say('Hello <b>Grace</b>');
	await grace.message('Hello <b>Grace</b>').waitFor();
	await grace.typing.getByText('Ada').waitFor({ state: 'detached' });
	await grace.say('Hello Ada');
	await ada.message('Hello Ada').waitFor();

	// Each message is shown once, and none of them is pending.
	expect(await ada.log.getByRole('listitem').count()).toBe(2);
	expect(await ada.page.locator('.pending, .failed').count()).toBe(0);
});

test(
	'a moderator removes someone of the other node, who sees why, comes back, and sees the messages in between',
	{ timeout: LEAVING_MS },
	async () => {
		const ada = await come('Ada', 'one', { key: MODERATOR_KEY });
		const [barbara, grace] = [await come('Barbara', 'one'), await come('Grace', 'two')];
		await grace.say('Hello');
		await barbara.message('Hello').waitFor();
		await ada.person('Grace', nodes.two).waitFor();
		expect(await ada.page.getByRole('button', { name: 'Remove Ada' }).count()).toBe(0);
		expect(await barbara.page.getByRole('button', { name: /^Remove/ }).count()).toBe(0);
		await ada.page.getByRole('button', { name: 'Remove Grace' }).click();

		await grace.log.getByText('Ada has removed you from this room.').waitFor();
		expect(await grace.people.getByRole('listitem').count()).toBe(0);
		for (const other of [ada, barbara]) await other.person('Grace', nodes.two).waitFor({ state: 'detached' });
		await barbara.say('Now it is quiet');
		await ada.message('Now it is quiet').waitFor();
		await grace.say('Is it?');
		await grace.log.getByText('Not sent. You are not in this room.').waitFor();
		expect(await grace.message('Now it is quiet').count()).toBe(0);

		await grace.log.getByRole('button', { name: 'Come back' }).click();
		await grace.message('Now it is quiet').waitFor();
		await barbara.person('Grace', nodes.two).waitFor();
		await grace.log.getByRole('button', { name: 'Try again' }).click();
		await barbara.message('Is it?').waitFor();
		expect(await grace.log.getByRole('button').count()).toBe(0);
		expect(await barbara.entries()).toEqual(['Hello', 'Now it is quiet', 'Is it?']);
	},
);

test('who was removed stays out over a reconnect', { timeout: LEAVING_MS }, async () => {
	const ada = await come('Ada', 'one', { key: MODERATOR_KEY });
	const grace = await come('Grace', 'one');
	await ada.page.getByRole('button', { name: 'Remove Grace' }).click();
	const comeBack = grace.log.getByRole('button', { name: 'Come back' });
	await comeBack.waitFor();
	await takeOffline(grace.page);
	await grace.state.getByText('Offline').waitFor();
	await bringOnline(grace.page);
	await grace.state.getByText(nodes.one.name).waitFor();
	await ada.person('Grace', nodes.one).waitFor({ state: 'detached' });

	await comeBack.click();
	await ada.person('Grace', nodes.one).waitFor();
});

test('a restarted node: the page reports it, enters the room again by itself, and recovers what it missed', async () => {
	const [ada, grace] = await two();
	await grace.say('Before');
	await ada.message('Before').waitFor();
	await ada.page.getByRole('button', { name: 'Restart this node' }).click();
	await ada.state.getByText(/^(Reconnecting|Trying again)/).waitFor();
	// A message sent now waits for the connection and is not lost.
	await ada.say('Said while away');
	await grace.say('You missed this');

	await ada.log.getByText('1 message came while you were away').waitFor();
	await ada.state.getByText(nodes.one.name).waitFor();
	await grace.message('Said while away').waitFor();
	await grace.say('After');
	await ada.message('After').waitFor();
	await grace.person('Ada', nodes.one).waitFor();
	expect(await ada.entries()).toEqual([
		'Before',
		'1 message came while you were away',
		'You missed this',
		'Said while away',
		'After',
	]);
	for (const { log } of [ada, grace]) expect(await log.getByText('may be missing').count()).toBe(0);
	await ada.person('Grace', nodes.two).waitFor();
	for (const { people } of [ada, grace]) expect(await people.getByRole('listitem').count()).toBe(2);
});

test('a killed node: its page says that it reconnects', async () => {
	const [ada] = await two();
	nodes.one.process.kill('SIGKILL');

	await ada.state.getByText(/^(Reconnecting|Trying again)/).waitFor();
	expect(await ada.page.locator('#state-spoken').textContent()).toBe('Reconnecting');
	await ada.state.getByText(/^Reconnecting in \d+ s$/).waitFor();
});

test('without a network the page says so, and reconnects when it is back', async () => {
	const [ada, grace] = await two();
	await takeOffline(ada.page);
	await ada.state.getByText('Offline').waitFor();
	await grace.say('You missed this');
	await grace.message('You missed this').waitFor();
	await bringOnline(ada.page);

	await ada.state.getByText(nodes.one.name).waitFor();
	await ada.message('You missed this').waitFor();
	await ada.say('Back');
	await grace.message('Back').waitFor();
});

test('a message that could not be sent is marked, until it turns out that it was', async () => {
	const [ada, grace] = await two();
	nodes.one.process.freeze();
	await ada.say('Is this on?');
	const failed = ada.log.getByText('Not sent.');
	await failed.waitFor();
	nodes.one.process.thaw();
	await ada.state.getByText(nodes.one.name).waitFor();
	await failed.waitFor({ state: 'detached' });
	await grace.message('Is this on?').waitFor();
	await grace.say('Yes');
	await ada.message('Yes').waitFor();
	expect((await grace.entries()).filter((text) => text === 'Is this on?')).toHaveLength(1);
	expect((await ada.entries()).filter((text) => text === 'Is this on?')).toHaveLength(1);
});

test('a newcomer sees the last messages', async () => {
	const ada = await come('Ada', 'one');
	await ada.say('First');
	await ada.say('Second');
	await ada.message('Second').waitFor();
	const grace = await come('Grace', 'two');
	await grace.message('Second').waitFor();
	expect(await grace.entries()).toEqual(['First', 'Second']);
});

test('rooms are separate, and a link opens one', { timeout: LEAVING_MS }, async () => {
	const [ada, grace] = await two();
	await ada.say('Before');
	await grace.message('Before').waitFor();
	await ada.page.getByRole('link', { name: 'kitchen' }).click();
	await ada.page.getByRole('heading', { name: 'kitchen' }).waitFor();
	await grace.person('Ada', nodes.one).waitFor({ state: 'detached' });
	await ada.say('In the kitchen');
	await ada.page.goBack();
	await ada.person('Grace', nodes.two).waitFor();
	await ada.say('In the lobby');
	await grace.message('In the lobby').waitFor();

	for (const visitor of [ada, grace]) expect(await visitor.entries()).toEqual(['Before', 'In the lobby']);
});
