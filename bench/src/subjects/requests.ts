/** Requests to a subject's process. */
export type SubjectRequest =
	| { readonly do: 'describe' }
	| { readonly do: 'count-ready' }
	| ({ readonly do: 'publish' } & PublishWork)
	| ({ readonly do: 'publish-paced' } & PacedWork)
	| { readonly do: 'hand-off times' }
	| ({ readonly do: 'churn' } & ChurnWork)
	| ({ readonly do: 'subscribe' } & SubscribeWork)
	| { readonly do: 'memory' };

export interface SubjectDescription {
	readonly port: number;
	readonly path: string;
	readonly hello: string | undefined;
	/** Where the load side confirms received bytes. */
	readonly creditPort: number;
}

/** Publish at maximum speed without overrunning the receivers. */
export interface PublishWork {
	readonly count: number;
	/** Used in rotation. */
	readonly topics: readonly string[];
	/** In bytes, ASCII. */
	readonly size: number;
	/** Messages published per turn of the event loop. */
	readonly perTurn: number;
	/** Bytes on the wire per message, all receivers together. */
	readonly wireBytes: number;
	/** How many bytes may be in flight. */
	readonly windowBytes: number;
}

/** Publish at a fixed rate; each message starts with a timestamp. */
export interface PacedWork {
	readonly count: number;
	/** Used in rotation. */
	readonly topics: readonly string[];
	readonly size: number;
	readonly perSecond: number;
}

/** All clients subscribe to one topic each, then unsubscribe, `rounds` times. */
export interface ChurnWork {
	readonly clients: number;
	readonly topics: readonly string[];
	readonly rounds: number;
}

/** Each client subscribes to `topicsEach` topics that no other client uses. */
export interface SubscribeWork {
	readonly clients: number;
	readonly topicsEach: number;
}

export interface WorkReport {
	/** By the machine's monotonic clock, in nanoseconds. */
	readonly startedAt: number;
	readonly endedAt: number;
	/** Publishes that were refused or failed, counted as unhandled rejections. */
	readonly failures: number;
}
