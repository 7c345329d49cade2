/** The requests to a process that runs nodes. */
export type HostRequest =
	/** Answered with the ids of the nodes, once all are ready. */
	| { readonly do: 'start'; readonly redisPort: number; readonly count: number }
	/** Answered once each node of the process knows this many nodes, itself included. */
	| { readonly do: 'wait-until-known'; readonly nodes: number };

/** What a process reports of one of its nodes. */
export interface NodeEvent {
	/** On the machine's monotonic clock, in nanoseconds. */
	readonly at: number;
	/** The id of the node. */
	readonly node: string;
	/** `lost`: the node no longer counts another one among the nodes that are there. */
	readonly kind: 'degraded' | 'ready' | 'lost' | 'warning';
	/** The id of the lost node, or the text of the warning. */
	readonly about?: string;
}
