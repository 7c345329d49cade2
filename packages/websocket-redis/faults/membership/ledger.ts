import type { GapNotice } from '@orijs/websocket/protocol';

/** A message that was published and accepted. */
interface Published {
	readonly n: number;
	/** When, in milliseconds since the epoch. */
	readonly at: number;
}

/** The time in which a client was in a topic. */
interface Stay {
	/** When the client was told. */
	readonly from: number;
	/** When the server removed it; Infinity if it has not. */
	until: number;
}

/** What a client knows of a topic. */
interface Seen {
	readonly stays: Stay[];
	readonly received: Set<number>;
	readonly gaps: GapNotice[];
}

/** A message that a client neither received nor was told of. */
export interface SilentLoss {
	readonly client: number;
	readonly topic: string;
	readonly n: number;
	readonly at: number;
}

export interface Totals {
	/** How many messages clients had to receive, or to be told of. */
	expected: number;
	received: number;
	/** How many they were told of by gaps. */
	told: number;
	readonly silent: SilentLoss[];
	/** How many messages came twice to a client on a topic with history. */
	duplicates: number;
}

/**
 * What was published in the last moments before a removal may come after it. Longer than Redis is ever away, in
 * milliseconds.
 */
const IN_TRANSIT_MS = 6_000;

/** Keeps book of who was in which topic, and what became of each message. */
export class Ledger {
	readonly #published = new Map<string, Published[]>();
	readonly #seen = new Map<string, Seen>();
	#duplicates = 0;

	published(topic: string, n: number, at: number): void {
		const messages = this.#published.get(topic);
		if (messages === undefined) this.#published.set(topic, [{ n, at }]);
		else messages.push({ n, at });
	}

	/** Called when a client was told that it is in a topic. Told again after a reconnect, it stays in it. */
	subscribed(client: number, topic: string): void {
		const { stays } = this.#of(client, topic);
		if (stays.at(-1)?.until !== Infinity) stays.push({ from: Date.now(), until: Infinity });
	}

	/** Called when the server has decided that a client leaves a topic, and when the client is told. */
	removed(client: number, topic: string): void {
		const stay = this.#of(client, topic).stays.at(-1);
		if (stay?.until === Infinity) stay.until = Date.now();
	}

	received(client: number, topic: string, n: number, hasHistory: boolean): void {
		const { received } = this.#of(client, topic);
		if (hasHistory && received.has(n)) this.#duplicates++;
		received.add(n);
	}

	hasReceived(client: number, topic: string, n: number): boolean {
		return this.#of(client, topic).received.has(n);
	}

	gap(client: number, gap: GapNotice): void {
		this.#of(client, gap.topic).gaps.push(gap);
	}

	totals(): Totals {
		const totals: Totals = { expected: 0, received: 0, told: 0, silent: [], duplicates: this.#duplicates };
		for (const [key, { stays, received, gaps }] of this.#seen) {
			const [client, topic] = key.split(' ') as [string, string];
			for (const { n, at } of this.#published.get(topic) ?? []) {
				if (!stays.some(({ from, until }) => at > from && at < until - IN_TRANSIT_MS)) continue;
				totals.expected++;
				if (received.has(n)) totals.received++;
				else if (gaps.some(({ since, until }) => at >= since && at <= until)) totals.told++;
				else totals.silent.push({ client: Number(client), topic, n, at });
			}
		}
		return totals;
	}

	#of(client: number, topic: string): Seen {
		const key = `${client} ${topic}`;
		let seen = this.#seen.get(key);
		if (seen === undefined) this.#seen.set(key, (seen = { stays: [], received: new Set(), gaps: [] }));
		return seen;
	}
}
