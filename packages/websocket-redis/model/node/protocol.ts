import type { Channel, Delivery, Outcome } from '../ledger/records.ts';
import type { NodeName } from '../settings.ts';

/** The settings of a node process: JSON in its environment variable `MODEL_NODE`. */
export interface NodeSettings {
	readonly name: NodeName;
	/** This process of the node: `a1` is the first one of node a. */
	readonly process: string;
	/** The port that it listens on. */
	readonly port: number;
	/** The port of its link to Redis. */
	readonly redisPort: number;
	/** The file of its {@link Journal}. */
	readonly journal: string;
	readonly seed: number;
	readonly collectBeatsAbove: number;
}

/** What a node writes to its journal. `at` is the true time; a stamp is by the node's clock. */
export type NodeEntry =
	| {
			readonly do: 'publish';
			readonly at: number;
			readonly channel: Channel;
			readonly n: number;
			readonly stamp: number;
			readonly socketId?: string | undefined;
	  }
	/** The call of a publish has returned. */
	| { readonly do: 'called'; readonly channel: Channel; readonly n: number; readonly stamp: number }
	| { readonly do: 'outcome'; readonly channel: Channel; readonly n: number; readonly outcome: Outcome }
	| {
			readonly do: 'gap';
			readonly at: number;
			readonly topic: string;
			readonly since: number;
			readonly until: number;
			readonly reason: string;
	  }
	/** A client has connected. */
	| { readonly do: 'open'; readonly at: number; readonly socketId: string }
	/** The node's own socket was subscribed; `*` when it had connected. */
	| { readonly do: 'subscribed'; readonly at: number; readonly channel: Channel }
	/** The node's own socket was closed. */
	| { readonly do: 'disconnected'; readonly at: number }
	| ({ readonly do: 'delivery' } & Delivery)
	| { readonly do: 'status'; readonly at: number; readonly status: string }
	/** For people who look for the cause of a violation. */
	| {
			readonly do: 'log';
			readonly at: number;
			readonly level: string;
			readonly message: string;
			readonly details?: unknown;
	  }
	/** Something that must not happen. */
	| { readonly do: 'failure'; readonly at: number; readonly what: string }
	/** The process has stopped in order. `pending` are publishes that were not settled. */
	| { readonly do: 'stopped'; readonly at: number; readonly pending: number };

/** The numbers of the last messages, by channel. */
export type Round = ReadonlyMap<Channel, number>;

export type NodeRequest =
	/** Replies once it listens. */
	| { readonly do: 'start' }
	/** The connections of clients, for messages to one of them. */
	| { readonly do: 'sockets'; readonly sockets: readonly { readonly client: string; readonly socketId: string }[] }
	| { readonly do: 'stop publishing' }
	/** Publishes one more message on every topic, and a broadcast. Replies with a {@link Round}. */
	| { readonly do: 'round' }
	/** Replies with the numbers of what its own socket got last, by process and channel: `a1 plain:0`. */
	| { readonly do: 'last' }
	| { readonly do: 'status' }
	/** Closes this share of its clients' connections. */
	| { readonly do: 'kick'; readonly share: number }
	/** Does nothing else for this long, in milliseconds. */
	| { readonly do: 'stall'; readonly ms: number }
	/** Disconnects its own socket. */
	| { readonly do: 'leave' }
	/** Replies with the number of publishes that are not settled. */
	| { readonly do: 'pending' };
