import { strict as assert } from 'node:assert';
import { z } from 'zod';
import type { MembersChange, PresenceMember } from '../../index.ts';
import { assertRefused, eventually, rejection } from '../assertions.ts';
import { members, PlayedPresence } from '../played-presence.ts';
import { failuresOf } from '../run-scenario.ts';
import type { Scenario } from '../test-server.ts';

const schema = z.object({ name: z.string(), isTyping: z.boolean().default(false) });
type Info = z.infer<typeof schema>;

function member(key: string, info: object | undefined): PresenceMember {
	return { ...(members(key)[0] as PresenceMember), ...(info && { info: info as PresenceMember['info'] }) };
}

function infosOf(list: readonly PresenceMember<Info>[]): unknown[] {
	return list.map(({ key, info }) => [key, info]);
}

export const presenceInfo: Record<string, Scenario> = {
	'info is as the schema returns it, and what has not changed remains the same object': async (server) => {
		const played = await PlayedPresence.start(server);
		const changes: MembersChange<Info>[] = [];
		const here = played.client.presence('t', { schema, onChange: (change) => changes.push(change) });
		const plain = played.watch();
		await played.watched(1, '', {
			count: 2,
			members: [member('a', { name: 'Ann', age: 5 }), member('b', { name: 'Ben', isTyping: true })],
		});
		await here.ready;
		assert.deepEqual(infosOf(here.members), [
			['a', { name: 'Ann', isTyping: false }],
			['b', { name: 'Ben', isTyping: true }],
		]);
		assert.equal(changes[0]?.joined, here.members);
		const [ann] = here.members;
		await played.change(1, 2, { count: 2, isStale: true });
		await played.change(2, 3, { count: 2, left: ['b'], joined: [member('c', { name: 'Cy' })] });
		await played.handled();
		assert.equal(changes[1]?.members, changes[0]?.members);
		assert.deepEqual(infosOf(changes[2]?.left ?? []), [['b', { name: 'Ben', isTyping: true }]]);
		assert.deepEqual(infosOf(here.members.slice(1)), [['c', { name: 'Cy', isTyping: false }]]);
		assert.equal(here.members[0], ann);
		assert.deepEqual(plain.handle.members[0]?.info, { name: 'Ann', age: 5 });
	},

	'info that does not match is left out and told once, and its member counts': async (server) => {
		const played = await PlayedPresence.start(server);
		const failures = failuresOf(played.client);
		const here = played.client.presence('t', { schema });
		const all = [member('a', { name: 5 }), member('b', { nick: 'Ben' }), member('c', undefined)];
		await played.watched(1, '', { count: 3, members: all });
		await here.ready;
		assert.deepEqual([infosOf(here.members), here.count], [['a', 'b', 'c'].map((key) => [key, undefined]), 3]);
		await played.change(1, 2, { count: 3, updated: [member('a', { name: 'Ann' })] });
		await played.change(2, 3, { count: 3, updated: [member('b', { name: null })] });
		await played.handled();
		assert.deepEqual(here.members[0]?.info, { name: 'Ann', isTyping: false });
		assert.deepEqual(
			failures.map(([stage, { name }]) => [stage, name]),
			[['presence', 'MessageValidationError']],
		);
		assert.match(failures[0]?.[1].message ?? '', /@presence t does not match its schema: .*name/);
	},

	'a schema that is asynchronous, or throws, matches nothing': async (server) => {
		const played = await PlayedPresence.start(server);
		const failures = failuresOf(played.client);
		const late = schema.refine(async () => false);
		const failing = schema.transform((): Info => {
			throw new Error('simulated');
		});
		const handles = [late, failing].map((one) => played.client.presence('t', { schema: one }));
		await played.watched(1, '', { count: 1, members: [member('a', { name: 'Ann' })] });
		await Promise.all(handles.map(({ ready }) => ready));
		for (const { members: seen } of handles) assert.deepEqual(infosOf(seen), [['a', undefined]]);
		await eventually(() => failures.length === 2, 'both are told');
		assert.deepEqual(
			failures.map(([stage]) => stage),
			['presence', 'presence'],
		);
	},

	'a refusal is told to the handle, which is closed by then': async (server) => {
		const played = await PlayedPresence.start(server);
		const failures = failuresOf(played.client);
		const told: unknown[] = [];
		const here = played.client.presence('t', {
			onRefused: ({ code }) => {
				told.push(code, here.isClosed);
				throw new Error('simulated');
			},
		});
		await played.refuse('@watch', 'forbidden');
		assertRefused(await rejection(here.ready), 'forbidden');
		assert.deepEqual(told, ['forbidden', true]);
		const later = played.client.presence('t', { onRefused: ({ code }) => told.push(code) });
		await played.watched(1, 'a');
		await later.ready;
		await played.send('@unwatched', { topic: 't', code: 'banned', message: 'No longer' });
		await eventually(() => later.isClosed, 'it is closed');
		const closed = played.client.presence('t', { onRefused: ({ code }) => told.push(code) });
		const { correlationId } = await played.next('@watch');
		closed.close();
		await played.refuseRequest('@watch', correlationId, 'forbidden');
		await played.handled();
		assert.deepEqual(told, ['forbidden', true, 'banned']);
		assert.deepEqual(
			failures.map(([stage]) => stage),
			['handler', 'presence', 'presence', 'presence'],
		);
	},
};
