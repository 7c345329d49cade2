import type { Channel, Delivery } from '../ledger/records.ts';

/** The settings of the process of all clients: JSON in its environment variable `MODEL_CLIENTS`. */
export interface ClientsSettings {
	/** Where each group of clients connects to. */
	readonly urls: readonly string[];
	/** The file of its {@link Journal}. */
	readonly journal: string;
	readonly seed: number;
}

/** What the clients write to their journal. `at` is the true time, `id` a subscription of the client. */
export type ClientEntry = { readonly client: string; readonly at: number } & ClientEvent;

export type ClientEvent =
	| { readonly do: 'ready'; readonly socketId: string }
	| { readonly do: 'lost'; readonly why: string }
	| { readonly do: 'subscribe'; readonly id: number; readonly channel: Channel }
	| { readonly do: 'subscribed'; readonly id: number }
	| { readonly do: 'unsubscribe'; readonly id: number }
	| { readonly do: 'unsubscribed'; readonly id: number }
	/** `close()` was called. */
	| { readonly do: 'closing' }
	| { readonly do: 'closed' }
	| ({ readonly do: 'delivery' } & Omit<Delivery, 'at'>)
	| { readonly do: 'gap'; readonly topic: string; readonly since: number; readonly until: number }
	| { readonly do: 'recovered'; readonly channel: Channel; readonly recovered: boolean; readonly count: number }
	/** Who is in a topic, by the keys, once it is known, and each time that it has changed. */
	| { readonly do: 'members'; readonly topic: string; readonly keys: readonly string[] }
	/** The client no longer watches who is in a topic. */
	| { readonly do: 'unwatched'; readonly topic: string }
	/** For people who look for the cause of a violation. */
	| { readonly do: 'error'; readonly stage: string; readonly message: string }
	/** Something that must not happen. */
	| { readonly do: 'failure'; readonly what: string };

/** The connection of a client. */
export interface ClientSocket {
	readonly client: string;
	readonly socketId: string;
}

export type ClientsRequest =
	/** Connects the lasting clients. Replies once they are subscribed. */
	| { readonly do: 'start' }
	/** From now on clients come and go, and subscribe and unsubscribe at random. */
	| { readonly do: 'churn' }
	/** No more of that. Replies once everything that is under way is done, or with what is not. */
	| { readonly do: 'settle' }
	/** Replies with the connections there are, {@link ClientSocket}. */
	| { readonly do: 'sockets' }
	/** Replies with which of these last messages have not arrived: by process, its numbers by channel. */
	| { readonly do: 'missing'; readonly rounds: ReadonlyMap<string, ReadonlyMap<Channel, number>> }
	/** Unsubscribes from everything, then closes all clients. Replies with what did not settle. */
	| { readonly do: 'leave' };
