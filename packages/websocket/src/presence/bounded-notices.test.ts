import { until } from '@orijs/testkit';
import { expect, it } from 'vitest';
import type { PresenceNotice } from '../protocol/presence.ts';
import { PresenceClient } from '../test-support/presence-client.ts';
import { type Member, openNode, type TestNode } from '../test-support/test-node.ts';
import { NOTICE_BYTES } from './untold-changes.ts';

const ROOM = 'room:a';
const INFO = 10_000;

async function openCrowd(size: number): Promise<{ node: TestNode; crowd: readonly Member[]; seen: PresenceClient }> {
	const presence = { 'room:*': { leaveDelayMs: 0, membersUpTo: 10_000 } };
	const node = await openNode({ presence, subprotocol: 'orijs.1' });
	const enter = (userId: string): Promise<Member> => node.connect({ userId, topics: new Set([ROOM]) });
	const crowd = await Promise.all(Array.from({ length: size }, (_, i) => enter(`u${i}`)));
	const seen = new PresenceClient(node, await enter('ann'), ROOM);
	await seen.watch();
	return { node, crowd, seen };
}

function say(node: TestNode, crowd: readonly Member[], letter: string): void {
	for (const { id } of crowd) node.provider.socketPresence.setOwnInfo(id, ROOM, { text: letter.repeat(INFO) });
}

/** Waits until a client sees what all say. */
function untilAllSay(client: PresenceClient, letter: string, size: number): Promise<void> {
	const said = (): number => {
		const infos = [...client.read().members.values()].map(({ info }) => String(info?.['text'])[0]);
		return infos.filter((text) => text === letter).length;
	};
	return until(() => said() === size, { what: () => `${size} say ${letter}, not ${said()}`, timeoutMs: 10_000 });
}

const NOTHING = { joined: undefined, left: undefined, updated: undefined };

function bytesOf(notice: PresenceNotice): number {
	const head = JSON.stringify({ ...notice, ...NOTHING });
	return Buffer.byteLength(JSON.stringify(notice)) - Buffer.byteLength(head) - '"updated":[]'.length;
}

it('what is too much for one notice is sent by the following ones, four in a second', async () => {
	const size = 40;
	const { node, crowd, seen } = await openCrowd(size);
	await until(() => seen.read().count === size + 1, { what: 'the members arrive' });
	const before = performance.now();
	const notices = seen.notices.length;
	say(node, crowd, 'x');
	await untilAllSay(seen, 'x', size);
	const seconds = (performance.now() - before) / 1_000;
	const sent = seen.notices.slice(notices);
	const bytes = sent.map(bytesOf);
	expect(Math.max(...bytes)).toBeLessThanOrEqual(NOTICE_BYTES);
	expect(sent.length).toBeGreaterThan(6);
	expect(sent.length).toBeLessThanOrEqual(1 + Math.ceil(seconds * 4));
	expect(sent.flatMap(({ updated = [] }) => updated)).toHaveLength(size);
	expect(sent.every(({ count }) => count === size + 1)).toBe(true);
	expect([seen.watches, seen.faults]).toEqual([1, []]);
});

it('who changes, leaves, or begins to watch meanwhile sees in the end what is', async () => {
	const size = 30;
	const { node, crowd, seen } = await openCrowd(size);
	await until(() => seen.read().count === size + 1, { what: 'the members arrive' });
	const late = new PresenceClient(node, await node.connect({ userId: 'bob' }), ROOM);
	say(node, crowd, 'x');
	await late.watch();
	say(node, crowd, 'y');
	const rest = crowd.slice(5);
	for (const { client } of crowd.slice(0, 5)) await client.close();
	// On top of those that wait, so that some of them come and go unseen by the first client.
	const guests = await Promise.all(
		Array.from({ length: 10 }, (_, i) => node.connect({ userId: `z${i}`, topics: new Set([ROOM]) })),
	);
	say(node, guests, 'y');
	for (const { client } of guests.slice(0, 5)) await client.close();
	for (const client of [seen, late]) {
		await untilAllSay(client, 'y', rest.length + 5);
		await until(() => client.read().members.size === client.count, { what: 'the members are as many as there are' });
		expect(client.count).toBe(rest.length + 6);
		expect(client.watches).toBe(1);
	}
});

it('with more than four seconds of notices to tell, clients read the members again', async () => {
	const size = 130;
	const { node, crowd, seen } = await openCrowd(size);
	const pages = async (): Promise<Map<string, unknown>> => {
		const all = new Map<string, unknown>();
		let after: string | undefined = '';
		while (after !== undefined) {
			const page: ReturnType<typeof node.provider.socketPresence.page> = node.provider.socketPresence.page(
				(crowd[0] as Member).id,
				ROOM,
				after,
			);
			for (const { key, info } of page?.members ?? []) all.set(key, info);
			after = page?.hasMore === true ? page.members.at(-1)?.key : undefined;
		}
		return all;
	};
	await node.provider.socketPresence.watch((crowd[0] as Member).id, ROOM, () => {});
	say(node, crowd, 'x');
	await until(() => seen.read().watches === 2, { what: 'it reads again' });
	// What is read is complete at once.
	const read = await pages();
	expect([...read.values()].filter((info) => info !== undefined)).toHaveLength(size);
	// Then it is left in peace for as long as reading may take: the next changes are sent in notices.
	say(node, crowd, 'y');
	const bytes = seen.notices.map(bytesOf);
	await until(() => seen.read().notices.flatMap(({ updated = [] }) => updated).length >= size, {
		what: 'all changes are sent',
		timeoutMs: 15_000,
	});
	expect(Math.max(...seen.notices.map(bytesOf), ...bytes)).toBeLessThanOrEqual(NOTICE_BYTES);
	expect(seen.watches).toBe(2);
});
