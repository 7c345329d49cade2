import type { Connection, ShopClient } from './shop-client.ts';
import type { Emitted, NodeReport, Sale } from './shop.ts';

/** How long a message may be in transit, in milliseconds. */
const IN_TRANSIT_MS = 1_000;

export interface RunResult {
	/** The problems found, one line each. */
	readonly problems: readonly string[];
	readonly counts: Readonly<Counts>;
}

interface Counts {
	/** Orders whose handler started, so they had to be answered. */
	answered: number;
	/** Orders that were refused because the node was stopping. */
	stopping: number;
	/** Orders sent while the close frame was in transit, so the node never read them. */
	unread: number;
	/** Connections that ended before their client closed them. */
	closes: number;
	/** Refused connections. */
	refusals: number;
	/** Messages that clients received. */
	received: number;
	/** Messages that clients should have received, because they had been subscribed long enough. */
	due: number;
}

/** Checks that every started order was answered, and that no message was lost, duplicated or reordered. */
export function checkRun(clients: readonly ShopClient[], reports: readonly NodeReport[]): RunResult {
	const problems: string[] = [];
	const started = new Set(reports.flatMap((report) => report.started));
	const done = new Set(reports.flatMap((report) => report.done));
	for (const id of started) if (!done.has(id)) problems.push(`order ${id} was started and not finished`);

	const counts: Counts = { answered: 0, stopping: 0, unread: 0, closes: 0, refusals: 0, received: 0, due: 0 };
	const inRoom = Map.groupBy(
		reports.flatMap(({ emitted }) => emitted),
		({ room }) => room,
	);
	for (const client of clients) {
		counts.refusals += client.refusals;
		const last = new Map<string, number>();
		for (const connection of client.connections) {
			problems.push(...orderProblems(connection, started, counts));
			problems.push(...sequenceProblems(connection, client.room, last));
			counts.received += connection.received.length;
			problems.push(...missedMessages(connection, inRoom.get(client.room) ?? [], counts));
			if (connection === client.connections.at(-1)) continue;
			counts.closes++;
			if (connection.ended?.code !== 1012) problems.push(`a connection ended with ${connection.ended?.code}`);
		}
	}
	return { problems, counts };
}

/** Checks that all started orders were answered, and that all others were refused or never read. */
function orderProblems({ orders }: Connection, started: ReadonlySet<string>, counts: Counts): string[] {
	const problems: string[] = [];
	for (const { id, answers } of orders) {
		const outcome = answers.join(' and ');
		if (started.has(id)) {
			counts.answered++;
			if (outcome !== 'answered') problems.push(`order ${id} was started, but its answers are: ${outcome}`);
		} else {
			if (outcome === 'stopping') counts.stopping++;
			else if (outcome === '') counts.unread++;
			else problems.push(`order ${id} was not started, but its answers are: ${outcome}`);
		}
	}
	return problems;
}

/**
 * Checks that the messages of each publisher arrived in order and only once, and that none is missing between two
 * messages of one connection.
 *
 * @param last the last number that the client received from each publisher
 */
function sequenceProblems({ received }: Connection, room: string, last: Map<string, number>): string[] {
	const problems: string[] = [];
	const here = new Set<string>();
	for (const { publisher, room: of, number } of received) {
		const before = last.get(publisher) ?? 0;
		if (of !== room) problems.push(`${room} received a message to ${of}`);
		if (number <= before) problems.push(`${room} received number ${number} of ${publisher} after ${before}`);
		else if (here.has(publisher) && number !== before + 1)
			problems.push(`${room} received number ${number} of ${publisher} next to ${before}`);
		here.add(publisher);
		last.set(publisher, number);
	}
	return problems;
}

/**
 * Returns the messages that were emitted while the client was subscribed but did not arrive, except those still in
 * transit at the end.
 */
function missedMessages(
	{ subscribedAt, ended, received }: Connection,
	emitted: readonly Emitted[],
	counts: Counts,
): string[] {
	if (subscribedAt === undefined) return [];
	const key = ({ publisher, number }: Sale): string => `${publisher} ${number}`;
	const arrived = new Set(received.map(key));
	const due = emitted.filter(
		({ startedAt, acceptedAt }) =>
			startedAt > subscribedAt && acceptedAt < (ended?.at ?? Number.POSITIVE_INFINITY) - IN_TRANSIT_MS,
	);
	counts.due += due.length;
	return due.filter((sale) => !arrived.has(key(sale))).map((sale) => `${key(sale)} was not received in ${sale.room}`);
}
