/** Requests to the load process. A group is a named set of clients of one server. */
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
	/** One client per entry: the topics it subscribes to. */
	readonly clients: readonly (readonly string[])[];
	/** Maximum number of concurrent handshakes. */
	readonly concurrency: number;
}

export interface ConnectReport {
	/** By the machine's monotonic clock, in nanoseconds. */
	readonly startedAt: number;
	readonly endedAt: number;
	readonly connected: number;
}

/** Counts what arrives from now on and confirms it to the publisher. */
export interface CountWork {
	readonly group: string;
	readonly creditPort: number;
	/** Bytes per confirmation. */
	readonly confirmEach: number;
	/** Where messages differ in size on the wire: the nominal size each complete message counts as. */
	readonly messageBytes?: number;
	/** To measure latencies: the size of a message on the wire and the offset of its timestamp. */
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
	/** Arrival of the last byte by the machine's monotonic clock, in nanoseconds. */
	readonly lastAt: number;
	/** The first bytes since counting started, at most 256; meaningful with a single socket. */
	readonly head: Uint8Array | readonly number[];
}

/** Each client sends `perClient` requests, keeping `inFlight` of them unanswered. */
export interface DriveWork {
	readonly group: string;
	/** The payload of a request frame. */
	readonly request: string;
	readonly perClient: number;
	readonly inFlight: number;
	/** Size of a reply on the wire. */
	readonly replyBytes: number;
}

export interface DriveReport {
	readonly startedAt: number;
	readonly endedAt: number;
	readonly bytes: number;
}
