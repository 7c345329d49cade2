import { strict as assert } from 'node:assert';
import type { PresenceInfo } from '../../index.ts';
import { assertRefused, isSettled, rejection } from '../assertions.ts';
import { PlayedPresence } from '../played-presence.ts';
import { failuresOf } from '../run-scenario.ts';
import type { Scenario } from '../test-server.ts';

/** Resolves when the client has sent this info, which is accepted, or refused with the code. */
async function updated(played: PlayedPresence, info: object, code?: string): Promise<void> {
	const { data, correlationId } = await played.next('@update');
	assert.deepEqual(data, { topic: 't', info });
	if (code) await played.refuseRequest('@update', correlationId, code);
	else await played.answer('@update', correlationId);
}

async function watching(played: PlayedPresence) {
	const { handle } = played.watch();
	await played.watched(1, 'a');
	await handle.ready;
	return handle;
}

export const presenceUpdates: Record<string, Scenario> = {
	'changes are merged, and sent again after a reconnect': async (server) => {
		const played = await PlayedPresence.start(server);
		const handle = await watching(played);
		const first = handle.update({ status: 'away', typing: true, nested: { a: 1 } });
		await updated(played, { status: 'away', typing: true, nested: { a: 1 } });
		await first;
		const second = handle.update({ typing: undefined, mood: null });
		await updated(played, { status: 'away', nested: { a: 1 }, mood: null });
		await second;
		await played.lose();
		await played.ready();
		await played.watched(2, 'a');
		await updated(played, { status: 'away', nested: { a: 1 }, mood: null });
		await played.handled();
	},

	'what is changed while a change is pending follows it, together': async (server) => {
		const played = await PlayedPresence.start(server);
		const handle = await watching(played);
		const info = { n: 1 };
		const updates = [handle.update(info)];
		info.n = 2;
		const { data, correlationId } = await played.next('@update');
		assert.deepEqual(data.info, { n: 1 });
		for (let n = 2; n <= 50; n++) updates.push(handle.update({ n }));
		await played.handled();
		await played.answer('@update', correlationId);
		await updated(played, { n: 50 });
		await Promise.all(updates);
		await played.handled();
	},

	'a change that can not be sent waits: without a connection, and until the client is in the topic': async (server) => {
		await server.serveRaw({ answers: false });
		const played = new PlayedPresence(server);
		const { handle } = played.watch();
		const update = handle.update({ a: 1 });
		await played.ready();
		await played.refuse('@watch', 'not_subscribed');
		await played.handled();
		await played.choose('t');
		await played.watched(1, 'a');
		const { correlationId } = await played.next('@update');
		// The connection is lost, and with it perhaps the answer.
		assert.equal(correlationId.length > 0, true);
		await played.lose();
		await played.ready();
		await played.watched(1, 'a');
		assert.equal(await isSettled(update), false);
		await updated(played, { a: 1 });
		await update;
	},

	'a client that returns to the topic says again who it is': async (server) => {
		const played = await PlayedPresence.start(server);
		await played.choose('t');
		const handle = await watching(played);
		const first = handle.update({ a: 1 });
		await updated(played, { a: 1 });
		await first;
		await played.remove('t');
		await played.refuse('@watch', 'not_subscribed');
		const update = handle.update({ b: 2 });
		await played.handled();
		await played.choose('t');
		await played.watched(2, 'a');
		await updated(played, { a: 1, b: 2 });
		await update;
	},

	'a client that may watch without being in the topic says so when it is': async (server) => {
		const played = await PlayedPresence.start(server);
		const handle = await watching(played);
		const update = handle.update({ a: 1 });
		await updated(played, { a: 1 }, 'not_subscribed');
		await played.handled();
		await played.choose('t');
		await updated(played, { a: 1 });
		await update;
		await played.handled();
	},

	'a refusal rejects the change that caused it, and no other': async (server) => {
		const played = await PlayedPresence.start(server);
		const handle = await watching(played);
		const first = handle.update({ a: 1 });
		const { correlationId } = await played.next('@update');
		const [bad, good, large] = [handle.update({ bad: 1 }), handle.update({ b: 2 }), handle.update({ large: 1 })];
		await played.answer('@update', correlationId);
		await first;
		await updated(played, { a: 1, bad: 1, b: 2, large: 1 }, 'invalid_data');
		await updated(played, { a: 1, bad: 1 }, 'invalid_data');
		await updated(played, { a: 1, b: 2 });
		await updated(played, { a: 1, b: 2, large: 1 }, 'too_large');
		const error = await rejection(bad);
		assertRefused(error, 'invalid_data');
		assert.match(error.message, /@update t /);
		assertRefused(await rejection(large), 'too_large');
		await good;
		await played.handled();
	},

	'changes that are too fast are delayed, and the newest wins': async (server) => {
		const played = await PlayedPresence.start(server);
		const handle = await watching(played);
		const started = performance.now();
		const updates = [handle.update({ n: 1 })];
		await updated(played, { n: 1 }, 'rate_limited');
		for (let n = 2; n <= 9; n++) updates.push(handle.update({ n }));
		await played.handled();
		await updated(played, { n: 9 });
		await Promise.all(updates);
		assert.ok(performance.now() - started >= 990);
	},

	'an info that the server no longer accepts is told, and given up': async (server) => {
		const played = await PlayedPresence.start(server);
		const failures = failuresOf(played.client);
		const handle = await watching(played);
		const first = handle.update({ a: 1 });
		await updated(played, { a: 1 });
		await first;
		await played.lose();
		await played.ready();
		await played.watched(2, 'a');
		await updated(played, { a: 1 }, 'invalid_data');
		await played.handled();
		assert.deepEqual(
			failures.map(([stage, error]) => [stage, (error as { code?: string }).code]),
			[['presence', 'invalid_data']],
		);
		const update = handle.update({ b: 2 });
		await updated(played, { b: 2 });
		await update;
	},

	'invalid info is refused with a named error, and not sent': async (server) => {
		const played = await PlayedPresence.start(server);
		const handle = await watching(played);
		for (const info of [undefined, null, 5, 'text', [1], { at: new Date(0) }, { bytes: new Uint8Array(1) }]) {
			const error = await rejection(handle.update(info as PresenceInfo));
			assert.equal(error.name, 'InvalidClientOptionError');
			assert.match(error.message, /info must be an object of JSON values \(no dates, no bytes\), not /);
		}
		const circular: Record<string, unknown> = {};
		circular['self'] = circular;
		for (const info of [{ n: NaN }, { map: new Map() }, circular]) {
			const error = await rejection(handle.update(info));
			assert.deepEqual([error.name, error.code], ['UnsentMessageError', 'unsupported_value']);
		}
		await played.handled();
	},

	'handles share the info of the client, and the last one that is closed ends it': async (server) => {
		const played = await PlayedPresence.start(server);
		const first = await watching(played);
		const { handle: second } = played.watch();
		void first.update({ a: 1 });
		await updated(played, { a: 1 });
		const update = second.update({ b: 2 });
		const { correlationId } = await played.next('@update');
		first.close();
		assertRefused(await rejection(first.update({})), 'closed');
		await played.answer('@update', correlationId);
		await update;
		const last = second.update({ c: 3 });
		await played.next('@update');
		second.close();
		assertRefused(await rejection(last), 'closed');
		await played.next('@unwatch');
		await played.handled();
	},
};
