import type { Channel, Outcome } from '../counting/run.ts';

/** A connection as JSON: one server, the nodes of a cluster, or the primary that Sentinels name. */
export type NodeConnection =
	| Address
	| { readonly cluster: readonly Address[] }
	| { readonly sentinels: Address[]; readonly name: string };

export interface Address {
	readonly host: string;
	readonly port: number;
}

/** The settings of a node process: JSON in its environment variable `FAULT_NODE`. */
export interface NodeSettings {
	readonly name: string;
	readonly connection: NodeConnection;
	readonly heartbeatMs: number;
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
	| { readonly do: 'status' }
	| { readonly do: 'report' };

export interface SentMessages {
	readonly publishedAt: number[];
	readonly outcome: Outcome[];
}

export interface ReportedGap {
	readonly topic: string;
	readonly since: number;
	readonly until: number;
	readonly reason: string;
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
