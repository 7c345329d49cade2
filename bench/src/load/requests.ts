/** What the load process is asked to do. A crowd is a number of clients of one server; it has a name. */
export type LoadRequest =
	| ({ readonly do: 'connect' } & ConnectWork)
	| ({ readonly do: 'begin' } & BeginWork)
	| ({ readonly do: 'await' } & AwaitWork)
	| { readonly do: 'latencies'; readonly crowd: string }
	| { readonly do: 'probe'; readonly crowd: string; readonly request: string }
	| ({ readonly do: 'drive' } & DriveWork)
	| { readonly do: 'close'; readonly crowd: string };

export interface ConnectWork {
	readonly crowd: string;
	readonly port: number;
	readonly path: string;
	readonly hello: string | undefined;
	/** One client for each entry, which is the topics it is in. */
	readonly clients: readonly (readonly string[])[];
	/** How many handshakes may be under way at a time. */
	readonly atOnce: number;
}

export interface ConnectReport {
	/** By the machine's monotonic clock, in nanoseconds. */
	readonly startedAt: number;
	readonly endedAt: number;
	readonly connected: number;
}

/** What arrives is counted from now on, and confirmed to the publisher. */
export interface BeginWork {
	readonly crowd: string;
	readonly creditPort: number;
	/** How many bytes make a confirmation. */
	readonly confirmEach: number;
	/** Where messages differ in size on the wire: each counts as so many bytes, once all of it has come. */
	readonly messageBytes?: number;
	/** If latencies are wanted: the size of a message on the wire and where in it the stamp is. */
	readonly stamped?: { readonly wireBytes: number; readonly offset: number };
}

/** Waits until the crowd has so many bytes; gives up when nothing comes any more. */
export interface AwaitWork {
	readonly crowd: string;
	readonly bytes: number;
	readonly stallMs: number;
}

export interface ArrivalReport {
	readonly bytes: number;
	/** When the last of them came, by the machine's monotonic clock in nanoseconds. */
	readonly lastAt: number;
	/** The first bytes since `begin`, at most 256, as one socket got them. */
	readonly head: Uint8Array | readonly number[];
}

/** Each client sends requests and waits for the bytes of the answers, keeping so many under way. */
export interface DriveWork {
	readonly crowd: string;
	/** What a request is, before it is made a frame. */
	readonly request: string;
	readonly perClient: number;
	readonly underWay: number;
	/** What an answer comes to on the wire. */
	readonly replyBytes: number;
}

export interface DriveReport {
	readonly startedAt: number;
	readonly endedAt: number;
	readonly bytes: number;
}
