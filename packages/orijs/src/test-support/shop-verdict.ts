import type { Connection, ShopClient } from './shop-client.ts';
import type { Account, Emitted, Sale } from './shop.ts';

/** How long a message may be on its way, in milliseconds. */
const ON_ITS_WAY_MS = 1_000;

export interface Verdict {
	/** What is wrong, each as a line to read. */
	readonly wrong: readonly string[];
	/** How much there was of what. */
	readonly counts: Readonly<Counts>;
}

interface Counts {
	/** Orders that a node began, and so had to answer. */
	answered: number;
	/** Orders that came too late, and were told so. */
	stopping: number;
	/** Orders that met the close frame on its way. */
	unread: number;
	/** Connections that ended before their client left. */
	closes: number;
	/** How often a client found nobody to let it in. */
	refusals: number;
	/** Messages that clients got. */
	heard: number;
	/** Messages that clients had to get, as they were there long enough. */
	due: number;
}

export function judge(clients: readonly ShopClient[], accounts: readonly Account[]): Verdict {
	const wrong: string[] = [];
	const begun = new Set(accounts.flatMap((account) => account.begun));
	const done = new Set(accounts.flatMap((account) => account.done));
	for (const id of begun) if (!done.has(id)) wrong.push(`order ${id} was begun and not done`);

	const counts: Counts = { answered: 0, stopping: 0, unread: 0, closes: 0, refusals: 0, heard: 0, due: 0 };
	const inRoom = Map.groupBy(
		accounts.flatMap(({ emitted }) => emitted),
		({ room }) => room,
	);
	for (const client of clients) {
		counts.refusals += client.refusals;
		const last = new Map<string, number>();
		for (const connection of client.connections) {
			wrong.push(...ordersOf(connection, begun, counts));
			wrong.push(...heardBy(connection, client.room, last));
			counts.heard += connection.heard.length;
			wrong.push(...missedBy(connection, inRoom.get(client.room) ?? [], counts));
			if (connection === client.connections.at(-1)) continue;
			counts.closes++;
			if (connection.ended?.code !== 1012) wrong.push(`a connection ended with ${connection.ended?.code}`);
		}
	}
	return { wrong, counts };
}

/** What a node begins is answered; what it does not begin is refused, or was never read. */
function ordersOf({ orders }: Connection, begun: ReadonlySet<string>, counts: Counts): string[] {
	const wrong: string[] = [];
	for (const { id, answers } of orders) {
		const outcome = answers.join(' and ');
		if (begun.has(id)) {
			counts.answered++;
			if (outcome !== 'answered') wrong.push(`order ${id} was begun, and its answers are: ${outcome}`);
		} else {
			if (outcome === 'stopping') counts.stopping++;
			else if (outcome === '') counts.unread++;
			else wrong.push(`order ${id} was not begun, and its answers are: ${outcome}`);
		}
	}
	return wrong;
}

/**
 * Each publisher's messages come in order, none twice, and none is left out between two of one connection.
 *
 * @param last by publisher, the number that the client heard last
 */
function heardBy({ heard }: Connection, room: string, last: Map<string, number>): string[] {
	const wrong: string[] = [];
	const here = new Set<string>();
	for (const { publisher, room: of, number } of heard) {
		const before = last.get(publisher) ?? 0;
		if (of !== room) wrong.push(`in ${room}, a message to ${of} was heard`);
		if (number <= before) wrong.push(`${room} heard number ${number} of ${publisher} after ${before}`);
		else if (here.has(publisher) && number !== before + 1)
			wrong.push(`${room} heard number ${number} of ${publisher} next to ${before}`);
		here.add(publisher);
		last.set(publisher, number);
	}
	return wrong;
}

/** What was emitted while the client was there arrives: from its subscription on, until it can't have been on its way any more. */
function missedBy({ subscribedAt, ended, heard }: Connection, emitted: readonly Emitted[], counts: Counts): string[] {
	if (subscribedAt === undefined) return [];
	const key = ({ publisher, number }: Sale): string => `${publisher} ${number}`;
	const had = new Set(heard.map(key));
	const due = emitted.filter(
		({ beganAt, acceptedAt }) =>
			beganAt > subscribedAt && acceptedAt < (ended?.at ?? Number.POSITIVE_INFINITY) - ON_ITS_WAY_MS,
	);
	counts.due += due.length;
	return due.filter((sale) => !had.has(key(sale))).map((sale) => `${key(sale)} was not heard in ${sale.room}`);
}
