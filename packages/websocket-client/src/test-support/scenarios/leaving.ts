import { strict as assert } from 'node:assert';
import { ClientClosedError } from '../../index.ts';
import { eventually, isSettled, readyClient, rejection } from '../play.ts';
import type { Scenario } from '../stage.ts';
import { counter } from '../watching.ts';

export const leaving: Record<string, Scenario> = {
	'nothing reaches its handlers once close() was called': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const numbers = counter();
		const subscription = await client.subscribe('t', numbers);
		const closed = subscription.close();
		await stage.emit('t', 1);
		await closed;
		await client.subscribe('marker');
		assert.deepEqual(numbers.heard, []);
	},

	'close() and subscribe() at once: it is subscribed': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const first = await client.subscribe('t');
		const closed = first.close();
		const numbers = counter();
		const again = client.subscribe('t', numbers);
		await eventually(() => isSettled(again), 'it is confirmed', 2_000);
		await closed;
		await stage.emit('t', 1);
		await eventually(() => numbers.heard.length === 1, 'messages come');
		assert.deepEqual(await stage.joined(), ['t']);
	},

	'close(), a tick, and subscribe(): it is subscribed': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		for (let n = 0; n < 5; n++) {
			const first = await client.subscribe('t');
			const closed = first.close();
			await Promise.resolve();
			const numbers = counter();
			const [again] = await Promise.all([client.subscribe('t', numbers), closed]);
			await stage.emit('t', n);
			await eventually(() => numbers.heard.length === 1, 'messages come');
			await again.close();
		}
		assert.deepEqual(await stage.joined(), []);
	},

	'a closed client has none that waits, and keeps those that were': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const kept = counter();
		await client.subscribe('kept', kept);
		const pending = client.subscribe('pending');
		const closed = client.close();
		assert.ok((await rejection(pending)) instanceof ClientClosedError);
		assert.ok((await rejection(client.subscribe('closed'))) instanceof ClientClosedError);
		await closed;
		await client.connect();
		await eventually(async () => (await stage.joined()).length > 0, 'the topic is back');
		await client.subscribe('marker');
		await stage.emit('kept', 1);
		await eventually(() => kept.heard.length === 1, 'messages come');
		assert.deepEqual(await stage.joined(), ['kept', 'marker']);
	},

	'close() of a subscription while there is no connection resolves, and it does not come back': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const subscription = await client.subscribe('t');
		await stage.kill();
		await eventually(() => client.state !== 'ready', 'the loss is noticed');
		await subscription.close();
		await stage.serve();
		await client.connect();
		await client.subscribe('marker');
		assert.deepEqual(await stage.joined(), ['marker']);
	},
};
