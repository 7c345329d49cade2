/** The requests to a subject's process. */
export type SubjectRequest =
	| { readonly do: 'describe' }
	| { readonly do: 'count-ready' }
	| ({ readonly do: 'publish' } & PublishWork)
	| ({ readonly do: 'publish-paced' } & PacedWork)
	| { readonly do: 'hand-off times' }
	| ({ readonly do: 'churn' } & ChurnWork)
	| ({ readonly do: 'subscribe' } & SubscribeWork)
	| ({ readonly do: 'join' | 'leave' } & PresenceWork)
	| { readonly do: 'watch'; readonly clients: number; readonly topic: string }
	| { readonly do: 'count-members'; readonly topics: readonly string[] }
	| { readonly do: 'memory' };

export interface SubjectDescription {
	readonly port: number;
	readonly path: string;
	readonly hello: string | undefined;
	readonly compresses: boolean;
	readonly hasBothKinds: boolean;
	/** The port on which the load process confirms received bytes. */
	readonly creditPort: number;
}

/** Publishes at maximum speed without overrunning the receivers. */
export interface PublishWork {
	readonly count: number;
	/** The topics, which are used in rotation. */
	readonly topics: readonly string[];
	/** The payload size in bytes, of ASCII characters. */
	readonly size: number;
	/** Whether payloads are JSON, as an application would send it, instead of a repeated character. */
	readonly isJson?: boolean;
	/** The number of messages published per turn of the event loop. */
	readonly perTurn: number;
	/** The number of bytes on the wire per message, for all receivers together. */
	readonly wireBytes: number;
	/** The maximum number of bytes in flight. */
	readonly windowBytes: number;
}

/** Publishes at a fixed rate. Each message starts with a timestamp. */
export interface PacedWork {
	readonly count: number;
	/** The topics, which are used in rotation. */
	readonly topics: readonly string[];
	readonly size: number;
	readonly perSecond: number;
}

/** Lets all clients subscribe to one topic each, and then unsubscribe, `rounds` times. */
export interface ChurnWork {
	readonly clients: number;
	readonly topics: readonly string[];
	readonly rounds: number;
}

/** Lets each client subscribe to `topicsEach` topics that no other client uses. */
export interface SubscribeWork {
	readonly clients: number;
	readonly topicsEach: number;
}

/** Lets clients become present in topics, or no longer. */
export interface PresenceWork {
	/** The first client. */
	readonly from: number;
	readonly clients: number;
	readonly topics: readonly string[];
	/** Whether each client joins or leaves all topics, instead of one of them in rotation. */
	readonly all?: boolean;
	/** Default: as fast as possible. */
	readonly perSecond?: number;
}

export interface WorkReport {
	/** On the machine's monotonic clock, in nanoseconds. */
	readonly startedAt: number;
	readonly endedAt: number;
	/** The number of calls of `publish` that were refused or failed, counted by their unhandled rejections. */
	readonly failures: number;
}
