/** How a server of a scenario is set up. */
export interface ServerOptions {
	/** The only token that its guard lets in; without it there is no guard. */
	readonly token?: string;
	readonly messagesPerSecond?: number;
	readonly topicsPerSocket?: number;
	readonly pendingRequests?: number;
	readonly messageBytes?: number;
	readonly queuedBytes?: number;
	/** The guards never decide, so that this runs out. */
	readonly guardTimeoutMs?: number;
}

export interface RawServerOptions {
	/** Whether it answers the built-in messages as a server should; otherwise it says nothing by itself. Default true. */
	readonly answers?: boolean;
	/** Refuses upgrades with this HTTP status. */
	readonly status?: number;
	/** What it says it takes, in its answer to `@auth`. */
	readonly messagesPerSecond?: number;
}

/** A message that the server has handled. */
export interface Handled {
	readonly type: string;
	readonly data: unknown;
	/** When, in milliseconds since the epoch. */
	readonly at: number;
}

/** A frame that a raw server got. */
export interface HeardFrame {
	readonly text: string;
	readonly at: number;
}

/** A numbered message, and when it was emitted. */
export interface Published {
	readonly n: number;
	readonly at: number;
}

export type LinkFault = 'freeze' | 'thaw' | 'cut' | 'end' | 'refuse' | 'accept';

/** What came of a request to the client. */
export type AnswerOfClient = { readonly data: unknown } | { readonly code: string; readonly message: string };

/**
 * The server's side of a scenario: servers behind one address that stays the same, and the network in between. A scenario may run in a
 * page, away from it, so that everything here is asynchronous, and JSON.
 */
export interface Stage {
	/** The endpoint's address, also while nobody serves it. */
	readonly url: string;

	// Servers, one at a time

	/** Starts an application with a router and another node beside it. */
	serve(options?: ServerOptions): Promise<void>;
	/** Starts a server that does as it is told. */
	serveRaw(options?: RawServerOptions): Promise<void>;
	/** Stops the application in order; resolves when that is through. */
	stop(): Promise<void>;
	/** Stops it, and waits for nothing. */
	beginStop(): Promise<void>;
	/** The server is gone at once, as if its process was killed. */
	kill(): Promise<void>;
	/** Ends every connection with that code. */
	kick(code: number, reason?: string): Promise<void>;

	// The network

	link(fault: LinkFault): Promise<void>;
	/** How many connections there are now. */
	connections(): Promise<number>;
	/** How many there were ever. */
	accepted(): Promise<number>;

	// What an application says

	publish(topic: string, text: string): Promise<void>;
	publishBytes(topic: string, bytes: readonly number[]): Promise<void>;
	broadcast(text: string): Promise<void>;
	/** Emits a numbered message, on the other node. */
	emit(topic: string, n: number): Promise<void>;
	/** Emits several, in order. */
	emitAll(topic: string, all: readonly number[]): Promise<void>;
	/** Sends a numbered message to one client. */
	sendTo(socketId: string, n: number): Promise<void>;
	/** Asks a client. */
	ask(socketId: string, name: string): Promise<AnswerOfClient>;
	/** Emits numbered messages to a topic, on the other node, all the time. */
	publishSteadily(topic: string): Promise<void>;
	/** Ends that, and tells what was published. */
	published(): Promise<Published[]>;
	/** The backend says that messages may be missing. */
	interrupt(topics: readonly string[] | 'all', since: number): Promise<void>;

	// What an application does and has seen

	/** What its handlers got, over all servers of the stage. */
	handled(): Promise<Handled[]>;
	/** What its guard was shown. */
	shown(): Promise<unknown[]>;
	/** Which topics clients are in. */
	joined(): Promise<string[]>;
	/** Lets the `wait` messages go on that are being handled, and those that come. */
	release(): Promise<void>;
	/** Nobody may join these from now on. */
	forbid(topics: readonly string[]): Promise<void>;
	/** The backend takes no subscription until told otherwise. */
	breakBackend(broken: boolean): Promise<void>;

	// A raw server

	/** What it got, in order. */
	heard(): Promise<HeardFrame[]>;
	say(text: string): Promise<void>;
	sayBytes(bytes: readonly number[]): Promise<void>;
}

export type Scenario = (stage: Stage) => Promise<void>;
