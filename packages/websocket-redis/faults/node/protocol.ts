import type { Channel, Outcome } from '../counting/run.ts';

/** A connection as JSON: one server, the nodes of a cluster, or the primary that Sentinels name. */
export type NodeConnection =
	| Address
	| { readonly cluster: readonly Address[]; readonly via?: Via }
	| { readonly sentinels: Address[]; readonly name: string; readonly via?: Via };

/** The ports to connect to instead of those of the servers: those of proxies. */
export type Via = Readonly<Record<number, number>>;

export interface Address {
	readonly host: string;
	readonly port: number;
}

/** The settings of a node process: JSON in its environment variable `FAULT_NODE`. */
export interface NodeSettings {
	readonly name: string;
	readonly connection: NodeConnection;
	readonly heartbeatMs: number;
	readonly collectBeatsAbove: number;
	/** How far the node's clock is ahead of the counting process's when it starts, in milliseconds. */
	readonly clockOffsetMs: number;
	/** A file for the record of what it publishes, which survives the process: see `journal.ts`. */
	readonly journal?: string;
}

/** The messages that a node publishes per second. */
export interface Load {
	readonly topics: readonly string[];
	readonly messages: number;
	readonly broadcasts: number;
	/** The number of messages to each of the sockets. */
	readonly directMessages: number;
	readonly sockets: readonly { readonly receiver: string; readonly socketId: string }[];
}

export type NodeRequest =
	| { readonly do: 'url' }
	| { readonly do: 'load'; readonly load: Load }
	| { readonly do: 'stop publishing' }
	/** Publishes one more message on every channel; replies with the numbers of these messages. */
	| { readonly do: 'round' }
	/** Publishes `count` messages of `bytes` bytes on one topic at once. */
	| { readonly do: 'burst'; readonly topic: string; readonly count: number; readonly bytes: number }
	/** Blocks the event loop, as a long computation does; replies afterwards. */
	| { readonly do: 'stall'; readonly forMs: number }
	/** Replies after this time by the node's own timers, which are late if the node gets too little of the processor. */
	| { readonly do: 'wait'; readonly forMs: number }
	/** Stops publishing, and the provider, as an application does that ends in order. */
	| { readonly do: 'stop' }
	| { readonly do: 'status' }
	| { readonly do: 'report' };

export interface SentMessages {
	/** By the node's own clock. */
	readonly publishedAt: number[];
	/** By the clock of the counting process. */
	readonly sentAt: number[];
	readonly outcome: Outcome[];
}

export interface ReportedGap {
	readonly topic: string;
	readonly since: number;
	readonly until: number;
	readonly reason: string;
	/** By the clock of the counting process. */
	readonly reportedAt: number;
}

/** The record of a node's run. */
export interface NodeReport {
	readonly sent: ReadonlyMap<Channel, SentMessages>;
	readonly gaps: readonly ReportedGap[];
	readonly statuses: readonly { readonly status: string; readonly at: number }[];
	/** The number of rejected publishes, by the name of the error. */
	readonly rejections: ReadonlyMap<string, number>;
	readonly unhandled: readonly string[];
}
