import type { NodeConnection } from '../node/protocol.ts';

/** The sockets that an action is for. */
export type Target = 'all' | { readonly socketId: string } | { readonly userId: string } | { readonly topic: string };
/** The nodes that a message is for. */
export type Recipients = 'all' | 'others' | readonly string[];

/** A call of `provider.cluster`. */
export type Call =
	| {
			readonly do: 'disconnect';
			readonly target: Target;
			/** Of this action only, so that its effects can be told from those of others. */
			readonly code: string;
			readonly reconnect: boolean;
			readonly except?: readonly string[];
	  }
	| { readonly do: 'subscribe'; readonly target: Target; readonly topic: string }
	| { readonly do: 'unsubscribe'; readonly target: Target; readonly topic: string; readonly code: string }
	| { readonly do: 'reauthorize'; readonly target: Target }
	| { readonly do: 'connections'; readonly target: Target }
	| { readonly do: 'connectionCount' }
	| { readonly do: 'subscriberCount'; readonly topic: string }
	| { readonly do: 'request'; readonly to: Recipients }
	| { readonly do: 'emit'; readonly to: Recipients };

/** A numbered call, with its time limit in milliseconds. */
export type Action = Call & { readonly n: number; readonly timeoutMs: number };

/** A connection as an action has listed it. */
export interface Listed {
	readonly socketId: string;
	readonly userId?: string;
	readonly nodeId: string;
}

/** What an action said it has done. Each part is undefined if the call does not say it. */
export interface Said {
	readonly nodes?: number;
	readonly answered?: number;
	readonly unanswered?: readonly string[];
	readonly sockets?: number;
	/** How often `authorize.subscribe` was asked. */
	readonly asked?: number;
	readonly connections?: readonly Listed[];
	readonly hasMore?: boolean;
	readonly count?: number;
	readonly isPartial?: boolean;
	/** The nodes whose answers came, by what they answered: their own ids. */
	readonly answers?: readonly (readonly [string, string])[];
	/** The nodes that refused or failed, with the names of the errors. */
	readonly errors?: readonly (readonly [string, string])[];
}

/**
 * What a node writes to its journal, in order, before anything that follows from it. `at` is by the clock of the
 * machine, in milliseconds since the epoch.
 */
export type Entry =
	| { readonly do: 'start'; readonly at: number; readonly nodeId: string }
	/** It listens, and is known to the backend. */
	| { readonly do: 'listening'; readonly at: number }
	/** It has been told to stop. */
	| { readonly do: 'stopping'; readonly at: number }
	| { readonly do: 'act'; readonly at: number; readonly action: Action }
	/**
	 * An action has settled: `tookMs` later, of which the process was late for `lateMs`, by the monotonic clock; with
	 * what it said, or the error with which it rejected.
	 */
	| {
			readonly do: 'acted';
			readonly at: number;
			readonly n: number;
			readonly tookMs: number;
			readonly lateMs: number;
			readonly said?: Said;
			readonly error?: string;
	  }
	/** A socket has passed its guards. */
	| {
			readonly do: 'open';
			readonly at: number;
			readonly socketId: string;
			readonly userId: string;
			/** When its connection began. */
			readonly upgradedAt: number;
	  }
	| {
			readonly do: 'close';
			readonly at: number;
			readonly socketId: string;
			readonly code: number;
			readonly reason: string;
	  }
	| { readonly do: 'in'; readonly at: number; readonly socketId: string; readonly topic: string }
	| {
			readonly do: 'out';
			readonly at: number;
			readonly socketId: string;
			readonly topic: string;
			readonly code: string;
	  }
	/** `authorize.subscribe` was asked. */
	| { readonly do: 'asked'; readonly at: number; readonly socketId: string; readonly topic: string }
	/** It has found nodes, or lost them. For people who look for the cause of a finding. */
	| ({ readonly do: 'nodes' } & NodesChange)
	| { readonly do: 'status'; readonly at: number; readonly status: string }
	/** A message from a node has arrived. */
	| { readonly do: 'handled'; readonly at: number; readonly n: number }
	| { readonly do: 'log'; readonly at: number; readonly level: string; readonly message: string }
	/** Something that must not happen. */
	| { readonly do: 'failure'; readonly at: number; readonly what: string };

/** The settings of a node process: JSON in its environment variable `CLUSTER_NODE`. */
export interface NodeSettings {
	readonly connection: NodeConnection;
	/** The port that it listens on; 0 for any free port. */
	readonly port: number;
	readonly collectBeatsAbove: number;
	/** The file of its journal. */
	readonly journal: string;
}

/** A node as another one sees it. */
export interface SeenNode {
	readonly id: string;
	readonly connections: number;
	readonly isSelf: boolean;
}

export type NodeRequest =
	/** Replies with a {@link Started} once it listens. */
	| { readonly do: 'start' }
	/** Replies when the action has settled. */
	| { readonly do: 'act'; readonly action: Action }
	/** Replies with the nodes that it knows of. */
	| { readonly do: 'nodes' }
	/** Replies with all changes of its nodes so far. */
	| { readonly do: 'changes' }
	/** Replies with all changes of its status so far. */
	| { readonly do: 'statuses' }
	/** Replies with the topics of its sockets, by the ids of these. */
	| { readonly do: 'topics' };

export interface Started {
	readonly nodeId: string;
}

export interface NodesChange {
	readonly at: number;
	readonly joined: readonly string[];
	readonly left: readonly { readonly id: string; readonly why: string }[];
}

export interface StatusChange {
	readonly at: number;
	readonly status: string;
}
