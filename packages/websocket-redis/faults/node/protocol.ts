import type { Channel, Outcome } from '../ledger/run.ts';

/** One server, a cluster by its nodes, or the master that Sentinels name; as JSON can carry it. */
export type NodeConnection =
	| Address
	| { readonly cluster: readonly Address[] }
	| { readonly sentinels: Address[]; readonly name: string };

export interface Address {
	readonly host: string;
	readonly port: number;
}

/** What a node is started with, in its environment as JSON under `FAULT_NODE`. */
export interface NodeSettings {
	readonly name: string;
	readonly connection: NodeConnection;
	readonly heartbeatMs: number;
}

/** What a node publishes, each second. */
export interface Load {
	readonly topics: readonly string[];
	readonly messages: number;
	readonly broadcasts: number;
	/** To each of the sockets below. */
	readonly directMessages: number;
	readonly sockets: readonly { readonly receiver: string; readonly socketId: string }[];
}

export type NodeRequest =
	| { readonly do: 'where' }
	| { readonly do: 'load'; readonly load: Load }
	/** Stops publishing. */
	| { readonly do: 'halt' }
	/** One more message on every channel; answers with the number of each. */
	| { readonly do: 'round' }
	/** That many messages of that size on one topic, at once. */
	| { readonly do: 'burst'; readonly topic: string; readonly count: number; readonly bytes: number }
	| { readonly do: 'status' }
	| { readonly do: 'account' };

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

/** All that a node knows at the end. */
export interface Account {
	readonly sent: ReadonlyMap<Channel, SentMessages>;
	readonly gaps: readonly ReportedGap[];
	readonly statuses: readonly { readonly status: string; readonly at: number }[];
	/** How often publishes were rejected with which error. */
	readonly rejections: ReadonlyMap<string, number>;
	readonly unhandled: readonly string[];
}
