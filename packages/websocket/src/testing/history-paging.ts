import { deepEqual, equal, ok } from 'node:assert/strict';
import { contentOf } from '../history/framing.ts';
import { type HistoryPage, type PageQuery, readPage } from '../history/history-page.ts';
import type { HistoryBounds } from '../history/history-store.ts';
import type { Position } from '../protocol/position.ts';
import type { CaseContext } from './case-context.ts';
import type { Requirements } from './conformance.ts';
import { ROOMY, startHistoryNode } from './history-node.ts';

interface Pages {
	/** Appends messages one after the other. */
	append(...texts: string[]): Promise<void>;
	read(query: PageQuery): Promise<HistoryPage>;
}

async function startPages(context: CaseContext, bounds: HistoryBounds = ROOMY): Promise<Pages> {
	const { history } = await startHistoryNode(context);
	return {
		async append(...texts) {
			for (const text of texts) await history.append('t', [contentOf('t', text)], bounds);
		},
		read: (query) => readPage(history, 't', bounds, query),
	};
}

function texts({ messages }: HistoryPage): unknown[] {
	return messages.map(({ data }) => data);
}

function firstOf({ messages }: HistoryPage): Position {
	ok(messages[0], 'the page must have a message');
	return messages[0].position;
}

function summary(page: HistoryPage): unknown[] {
	return [texts(page), page.hasMore, page.recovered];
}

const DIGITS = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

/** The requirements for the pages of a history, read forwards and backwards. */
export const PAGING: Requirements = {
	async 'paging backwards returns every message once, in order, and says whether there are more'(context) {
		const { append, read } = await startPages(context);
		await append(...DIGITS);
		const pages = [await read({ limit: 4 })];
		while (pages[0]!.hasMore) pages.unshift(await read({ before: firstOf(pages[0]!), limit: 4 }));
		deepEqual(pages.map(texts), [
			['0', '1'],
			['2', '3', '4', '5'],
			['6', '7', '8', '9'],
		]);
		ok(pages.every(({ recovered }) => recovered));
		deepEqual(summary(await read({ before: firstOf(pages[0]!), limit: 4 })), [[], false, true]);
	},

	async 'a page that reaches the first message says that there are no more, even if it is full'(context) {
		const { append, read } = await startPages(context);
		await append(...DIGITS);
		const latest = await read({ limit: 5 });
		deepEqual(summary(latest), [['5', '6', '7', '8', '9'], true, true]);
		deepEqual(summary(await read({ before: firstOf(latest), limit: 5 })), [['0', '1', '2', '3', '4'], false, true]);
		deepEqual(summary(await read({ limit: 10 })), [DIGITS, false, true]);
		deepEqual(summary(await read({ before: firstOf(latest), limit: 1 })), [['4'], true, true]);
	},

	async 'paging forwards says whether there are more'(context) {
		const { append, read } = await startPages(context);
		const empty = await read({ limit: 4 });
		deepEqual(summary(empty), [[], false, true]);
		await append(...DIGITS);
		let page = empty;
		const pages: unknown[][] = [];
		do {
			page = await read({ since: { epoch: page.epoch, offset: page.offset }, limit: 5 });
			pages.push(summary(page));
		} while (page.hasMore);
		deepEqual(pages, [
			[['0', '1', '2', '3', '4'], true, true],
			[['5', '6', '7', '8', '9'], false, true],
		]);
		const end = { epoch: page.epoch, offset: page.offset };
		deepEqual(summary(await read({ since: end, limit: 5 })), [[], false, true]);
	},

	async 'messages that arrive while a reader pages backwards do not move its pages'(context) {
		const { append, read } = await startPages(context);
		await append(...DIGITS);
		let page = await read({ limit: 3 });
		const seen = texts(page);
		while (page.hasMore) {
			await append('later', 'and later');
			page = await read({ before: firstOf(page), limit: 3 });
			seen.unshift(...texts(page));
		}
		deepEqual(seen, DIGITS);
	},

	async 'paging backwards ends where messages are no longer kept'(context) {
		const { append, read } = await startPages(context, { ...ROOMY, size: 5 });
		await append(...DIGITS);
		const latest = await read({ limit: 2 });
		deepEqual(summary(await read({ before: firstOf(latest), limit: 2 })), [['6', '7'], true, true]);
		deepEqual(summary(await read({ before: firstOf(latest), limit: 3 })), [['5', '6', '7'], false, true]);
		await append('10', '11', '12');
		deepEqual(summary(await read({ before: firstOf(latest), limit: 3 })), [[], false, true]);
		await append('13', '14', '15');
		deepEqual(summary(await read({ before: firstOf(latest), limit: 3 })), [[], false, true]);
	},

	async 'after paging to the end in one direction, a reader can page in the other'(context) {
		const { append, read } = await startPages(context);
		await append(...DIGITS);
		const middle = await read({ before: firstOf(await read({ limit: 3 })), limit: 2 });
		deepEqual(texts(middle), ['5', '6']);
		const { epoch, offset } = middle;
		deepEqual(texts(await read({ since: { epoch, offset }, limit: 100 })), ['7', '8', '9']);
		deepEqual(texts(await read({ before: { epoch, offset }, limit: 100 })), ['0', '1', '2', '3', '4', '5']);
	},

	async 'a page up to a position ends with the message at it'(context) {
		const { append, read } = await startPages(context, { ...ROOMY, size: 8 });
		await append(...DIGITS);
		const { messages } = await read({ limit: 8 });
		const upTo = messages[5]!.position;
		deepEqual(summary(await read({ upTo, limit: 3 })), [['5', '6', '7'], true, true]);
		deepEqual(summary(await read({ upTo, limit: 6 })), [['2', '3', '4', '5', '6', '7'], false, true]);
		await append('10', '11');
		deepEqual(summary(await read({ upTo, limit: 3 })), [['5', '6', '7'], true, true]);
		await append(...DIGITS);
		deepEqual(summary(await read({ upTo, limit: 3 })), [[], false, true]);
		deepEqual(summary(await read({ upTo: { ...upTo, epoch: 'another' }, limit: 3 })), [[], false, false]);
		deepEqual(summary(await read({ upTo: { ...upTo, offset: 2 ** 53 - 1 }, limit: 3 })), [[], false, false]);
	},

	async 'paging forwards from a position whose messages are no longer kept is not recovered'(context) {
		const { append, read } = await startPages(context, { ...ROOMY, size: 3 });
		await append('0', '1');
		const { epoch, offset } = await read({ limit: 1 });
		const since = { epoch, offset };
		await append('2', '3', '4');
		deepEqual(summary(await read({ since, limit: 2 })), [['2', '3'], true, true]);
		await append('5');
		deepEqual(summary(await read({ since, limit: 2 })), [[], false, false]);
		deepEqual(summary(await read({ since: { ...since, epoch: 'another' }, limit: 2 })), [[], false, false]);
	},

	async 'a bound in bytes makes pages smaller, and paging returns every message once, in order'(context) {
		const { append, read } = await startPages(context);
		const sizes = [10, 900, 10, 10, 700, 300, 10, 2_000, 10, 10];
		await append(...sizes.map((size, i) => `${i}`.repeat(size)));
		const all = sizes.map((_, i) => `${i}`);
		const kinds = (page: HistoryPage): string[] => texts(page).map((text) => String(text)[0]!);
		for (const bytes of [1, 250, 1_200, 5_000]) {
			const back = [await read({ limit: 7, bytes })];
			while (back[0]!.hasMore) back.unshift(await read({ before: firstOf(back[0]!), limit: 7, bytes }));
			deepEqual(back.flatMap(kinds), all);
			const { epoch } = back[0]!;
			const forth = [await read({ since: { epoch, offset: 0 }, limit: 7, bytes })];
			while (forth.at(-1)!.hasMore) {
				const { offset } = forth.at(-1)!;
				forth.push(await read({ since: { epoch, offset }, limit: 7, bytes }));
			}
			deepEqual(forth.flatMap(kinds), all);
			for (const { messages } of [...back, ...forth]) {
				const size = messages.reduce((sum, { data }) => sum + String(data).length, 0);
				ok(messages.length === 1 || size <= bytes, 'a page of several messages must be within the bound');
			}
		}
		const page = await read({ upTo: firstOf(await read({ limit: 4, bytes: 1 })), limit: 7, bytes: 1 });
		deepEqual([kinds(page), page.hasMore], [['9'], true]);
	},

	async 'nothing is returned before a position that is not in the history'(context) {
		const { append, read } = await startPages(context);
		await append('0', '1', '2');
		const { epoch, offset, messages } = await read({ limit: 1 });
		const between = Math.ceil(((messages[0]?.position.prev ?? 0) + offset) / 2);
		for (const lost of [
			{ epoch: 'another', offset },
			{ epoch: 'another.0', offset: 0 },
			{ epoch, offset: offset + 1 },
			{ epoch, offset: Number.MAX_SAFE_INTEGER },
			// As if the store had lost a message between the two. Left out in the rare case that no offset lies between
			// them.
			...(between === offset ? [] : [{ epoch, offset: between }]),
		]) {
			const page = await read({ before: lost, limit: 5 });
			deepEqual([...summary(page), page.epoch, page.offset], [[], false, false, epoch, offset]);
		}
	},

	async 'a position after the last message is not in the history, even if no message is kept'(context) {
		const { append, read } = await startPages(context, { ...ROOMY, bytes: 1 });
		await append('too large to be kept');
		const { epoch, offset } = await read({ limit: 5 });
		deepEqual(summary(await read({ before: { epoch, offset }, limit: 5 })), [[], false, true]);
		deepEqual(summary(await read({ before: { epoch, offset: offset + 1 }, limit: 5 })), [[], false, false]);
	},

	async 'there is nothing before the start of a topic, even if it has not begun'(context) {
		const { append, read } = await startPages(context);
		const { epoch, offset } = await read({ limit: 5 });
		deepEqual(summary(await read({ before: { epoch, offset }, limit: 5 })), [[], false, true]);
		deepEqual(summary(await read({ before: { epoch: 'another', offset: 7 }, limit: 5 })), [[], false, false]);
		await append('0', '1');
		deepEqual(summary(await read({ before: { epoch, offset }, limit: 5 })), [[], false, true]);
		const begun = await read({ limit: 5 });
		equal(begun.messages.length, 2);
		deepEqual(summary(await read({ before: { epoch: begun.epoch, offset: 0 }, limit: 5 })), [[], false, true]);
	},
};
