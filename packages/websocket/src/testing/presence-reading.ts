import { deepEqual, equal } from 'node:assert/strict';
import { compareKeys } from '../presence/key-order.ts';
import type { StoredMember } from '../presence/presence-store.ts';
import type { Requirements } from './conformance.ts';
import { PresenceNode } from './presence-node.ts';

/** Characters of one to four bytes, whose order in UTF-16 is not that in UTF-8. */
const CHARACTERS = ['a', 'Z', '~', 'é', '語', '\u{fffd}', '\u{1f511}'];

function someKeys(count: number): string[] {
	return Array.from({ length: count }, (_, i) => `user:${CHARACTERS[i % CHARACTERS.length]}${(i * 7_919) % count}`);
}

/** Reads a topic page by page. @param between called after each page */
async function pages(
	node: PresenceNode,
	topic: string,
	limit: number,
	between?: () => Promise<unknown>,
): Promise<string[][]> {
	const found: string[][] = [];
	for (let after: string | undefined, hasMore = true; hasMore;) {
		const page = await node.presence.read(topic, { after, limit });
		equal(page.skipped, 0);
		found.push(page.members.map(({ key }) => key));
		({ hasMore } = page);
		after = page.members.at(-1)?.key;
		await between?.();
	}
	return found;
}

/** The requirements for reading the members of a topic. */
export const READING: Requirements = {
	async 'pages hold every member once, in the order of the bytes of the keys, however large they are'(context) {
		const [a, b] = await PresenceNode.startLeased(context, 2);
		const keys = someKeys(1_500);
		await a!.putMany('t', keys);
		const expected = keys.toSorted(compareKeys);
		for (const limit of [1_000, 750, 499, 100]) {
			const read = await pages(b!, 't', limit);
			deepEqual(read.flat(), expected);
			deepEqual(
				read.slice(0, -1).every((page) => page.length === limit),
				true,
			);
		}
		const { count, version } = await b!.presence.count('t');
		deepEqual([count, version?.n], [1_500, 15]);
	},

	async 'a page begins after a key, which need not be that of a member'(context) {
		const [a] = await PresenceNode.startLeased(context, 1);
		await a!.putMany('t', ['b', 'd', 'é', '\u{fffd}', '\u{1f511}']);
		const after = async (key: string): Promise<string[]> => {
			const { members } = await a!.presence.read('t', { after: key, limit: 100 });
			return members.map((member) => member.key);
		};
		deepEqual(await after(''), ['b', 'd', 'é', '\u{fffd}', '\u{1f511}']);
		deepEqual(await after('b'), ['d', 'é', '\u{fffd}', '\u{1f511}']);
		deepEqual(await after('c'), ['d', 'é', '\u{fffd}', '\u{1f511}']);
		deepEqual(await after('d\0'), ['é', '\u{fffd}', '\u{1f511}']);
		deepEqual(await after('\u{fffd}'), ['\u{1f511}']);
		deepEqual(await after('\u{1f511}'), []);
		deepEqual(await after('\u{10ffff}'), []);
	},

	async 'a page says whether there are more members, also if it is full'(context) {
		const [a] = await PresenceNode.startLeased(context, 1);
		await a!.putMany('t', ['a', 'b', 'c', 'd']);
		const read = async (limit: number, after?: string): Promise<unknown[]> => {
			const page = await a!.presence.read('t', { after, limit });
			return [page.members.map(({ key }) => key), page.hasMore, page.count];
		};
		deepEqual(await read(3), [['a', 'b', 'c'], true, 4]);
		deepEqual(await read(4), [['a', 'b', 'c', 'd'], false, 4]);
		deepEqual(await read(2, 'b'), [['c', 'd'], false, 4]);
		deepEqual(await read(1, 'b'), [['c'], true, 4]);
		deepEqual(await read(1, 'd'), [[], false, 4]);
	},

	async 'who stays while a reader pages is read once'(context) {
		const [a, b] = await PresenceNode.startLeased(context, 2);
		const stay = someKeys(300).filter((_, i) => i % 2 === 0);
		await a!.putMany('t', stay);
		let round = 0;
		const read = await pages(a!, 't', 40, async () => {
			await b!.put('t', `user:a${round}`);
			await b!.remove('t', `user:a${round++}`);
			await b!.put('t', `new:${round}`);
		});
		deepEqual(
			read.flat().filter((key) => stay.includes(key)),
			stay.toSorted(compareKeys),
		);
	},

	async 'a page of members with large info is complete'(context) {
		const [a] = await PresenceNode.startLeased(context, 1);
		const info = JSON.stringify({ text: '語'.repeat(3_000) });
		const keys = Array.from({ length: 200 }, (_, i) => `user:${i}`);
		for (let at = 0; at < keys.length; at += 50) {
			await a!.apply(
				't',
				...keys.slice(at, at + 50).map((key) => ({ kind: 'put', key, connections: 1, ageMs: 0, info }) as const),
			);
		}
		const { members, hasMore }: { members: readonly StoredMember[]; hasMore: boolean } = await a!.presence.read('t', {
			limit: 1_000,
		});
		deepEqual([members.length, hasMore], [200, false]);
		equal(
			members.every((member) => member.info === info),
			true,
		);
	},
};
