/** What a subject's process is asked to do. */
export type SubjectRequest =
	| { readonly do: 'describe' }
	| { readonly do: 'count-ready' }
	| ({ readonly do: 'publish' } & PublishWork)
	| ({ readonly do: 'pulse' } & PulseWork)
	| { readonly do: 'hand-off times' }
	| ({ readonly do: 'churn' } & ChurnWork)
	| ({ readonly do: 'subscribe' } & SubscribeWork)
	| { readonly do: 'memory' };

export interface SubjectDescription {
	readonly port: number;
	readonly path: string;
	readonly hello: string | undefined;
	/** Where the load side confirms what arrived. */
	readonly creditPort: number;
}

/** Publish as fast as it goes, without overrunning the receivers. */
export interface PublishWork {
	readonly count: number;
	/** Taken in turn. */
	readonly topics: readonly string[];
	/** In bytes, ASCII. */
	readonly size: number;
	/** How many messages are published before the event loop turns. */
	readonly perTurn: number;
	/** What one message comes to at all its receivers together, in bytes on the wire. */
	readonly wireBytes: number;
	/** How many bytes may be on their way. */
	readonly windowBytes: number;
}

/** Publish evenly over time; each message begins with its time. */
export interface PulseWork {
	readonly count: number;
	/** Taken in turn. */
	readonly topics: readonly string[];
	readonly size: number;
	readonly perSecond: number;
}

/** Clients join and leave one topic each, in turn, over and over. */
export interface ChurnWork {
	readonly clients: number;
	readonly topics: readonly string[];
	readonly rounds: number;
}

/** Each client joins so many topics of its own. */
export interface SubscribeWork {
	readonly clients: number;
	readonly topicsEach: number;
}

export interface WorkReport {
	/** By the machine's monotonic clock, in nanoseconds. */
	readonly startedAt: number;
	readonly endedAt: number;
	/** How many publishes were refused or failed, in the background as well. */
	readonly failures: number;
}
