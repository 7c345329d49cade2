/** The requests to the load process. A group is a named set of clients of one server. */
export type LoadRequest =
	| ({ readonly do: 'connect' } & ConnectWork)
	| ({ readonly do: 'start-counting' } & CountWork)
	| ({ readonly do: 'wait-for-bytes' } & WaitWork)
	| { readonly do: 'latencies'; readonly group: string }
	| { readonly do: 'probe'; readonly group: string; readonly request: string }
	| ({ readonly do: 'drive' } & DriveWork)
	| { readonly do: 'close'; readonly group: string };

export interface ConnectWork {
	readonly group: string;
	readonly port: number;
	readonly path: string;
	readonly hello: string | undefined;
	/** Whether clients offer permessage-deflate. Default false. */
	readonly compresses?: boolean;
	/** Whether every second client is plain. Default: all speak this system's protocol. */
	readonly hasBothKinds?: boolean;
	/** The topics that each client subscribes to, one entry per client. */
	readonly clients: readonly (readonly string[])[];
	/** The maximum number of concurrent handshakes. */
	readonly concurrency: number;
}

export interface ConnectReport {
	/** On the machine's monotonic clock, in nanoseconds. */
	readonly startedAt: number;
	readonly endedAt: number;
	readonly connected: number;
}

/** Counts all bytes that arrive from now on, and confirms them to the publisher. */
export interface CountWork {
	readonly group: string;
	readonly creditPort: number;
	/** The number of bytes after which a confirmation is sent. */
	readonly confirmEach: number;
	/** If messages differ in size on the wire, the nominal size that is counted for each complete message. */
	readonly messageBytes?: number;
	/** If latencies are measured, the size of a message on the wire and the offset of its timestamp. */
	readonly stamped?: { readonly wireBytes: number; readonly offset: number };
}

/** Waits until the group has received `bytes`, or nothing has arrived for `stallMs`. */
export interface WaitWork {
	readonly group: string;
	readonly bytes: number;
	readonly stallMs: number;
}

export interface ArrivalReport {
	readonly bytes: number;
	/** When the last byte arrived, on the machine's monotonic clock, in nanoseconds. */
	readonly lastAt: number;
	/** The first bytes since counting started. Only meaningful with a single socket. */
	readonly head: Uint8Array | readonly number[];
}

/** Lets each client send `perClient` requests, of which it keeps `inFlight` unanswered. */
export interface DriveWork {
	readonly group: string;
	/** The payload of a request frame. */
	readonly request: string;
	readonly perClient: number;
	readonly inFlight: number;
	/** The size of a reply on the wire, in bytes. */
	readonly replyBytes: number;
}

export interface DriveReport {
	readonly startedAt: number;
	readonly endedAt: number;
	readonly bytes: number;
}
