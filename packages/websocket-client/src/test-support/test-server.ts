import type { PresenceMember } from '../index.ts';

/** The settings of a scenario's application. */
export interface ServerOptions {
	/** The only token that the guard accepts. Default: there is no guard. */
	readonly token?: string;
	readonly messagesPerSecond?: number;
	readonly bytesPerSecond?: number;
	readonly topicsPerSocket?: number;
	readonly connections?: number;
	/** The origins of pages that may connect. Default: those of the scenarios. */
	readonly allowedOrigins?: readonly string[];
	readonly pendingRequests?: number;
	readonly messageBytes?: number;
	readonly queuedBytes?: number;
	/** How long the handler of `say` messages takes. Default 0. */
	readonly handlingMs?: number;
	/** How long the credentials are valid, in milliseconds, if there is a `token`. Default: they don't expire. */
	readonly expiresInMs?: number;
	/** Adds a guard that never settles, so that this timeout expires. */
	readonly guardTimeoutMs?: number;
	/** Whether the credentials are the user's id. Default false. */
	readonly users?: boolean;
	/** Whether clients may see who is in topics that they are not in, unless the topic is forbidden. Default false. */
	readonly mayWatchAll?: boolean;
}

export interface RawServerOptions {
	/**
	 * Whether the server answers built-in messages like a real one. If false, it sends nothing on its own. Default true.
	 */
	readonly answers?: boolean;
	/** Whether it answers `@ping`, if it answers at all. Default true. */
	readonly answersPings?: boolean;
	/** If set, the server refuses upgrades with this HTTP status. */
	readonly status?: number;
	/** Limits in the server's answer to `@auth`. */
	readonly limits?: {
		readonly messagesPerSecond?: number;
		readonly messageBytes?: number;
		readonly expiresInMs?: number;
	};
	/** How far clocks of other servers are off, as it has learned by the first ping. */
	readonly clocks?: { readonly behindMs?: number; readonly aheadMs?: number };
}

/** Why clients are disconnected, and whether they may return. Default: they may. */
export interface Disconnection {
	readonly code: string;
	readonly message: string;
	readonly reconnect?: boolean;
}

/** A message that the server has handled. */
export interface Handled {
	readonly type: string;
	readonly data: unknown;
	/** When it was handled, in milliseconds since the epoch. */
	readonly at: number;
}

/** A frame that a raw server has received. */
export interface ReceivedFrame {
	readonly text: string;
	readonly at: number;
}

/** A numbered message, and when it was emitted. */
export interface Published {
	readonly n: number;
	readonly at: number;
}

/**
 * `freeze connections` freezes those that are open, while new ones work. `slow upload` limits what clients send to 4 MB
 * per second.
 */
export type NetworkFault =
	| 'freeze'
	| 'freeze connections'
	| 'thaw'
	| 'slow upload'
	| 'cut'
	| 'end'
	| 'refuse'
	| 'accept';

/** The outcome of a request to the client. */
export type ClientAnswer = { readonly data: unknown } | { readonly code: string; readonly message: string };

/**
 * The server side of a scenario: servers behind one stable address, and the network in front of them. Scenarios can
 * also run in a page, which is another process, so everything here is asynchronous and can be written as JSON.
 */
export interface TestServer {
	/** The endpoint's address, which remains the same even while no server runs. */
	readonly url: string;

	// Servers, one at a time

	/** Starts an application with a router, on the same backend as another node. */
	serve(options?: ServerOptions): Promise<void>;
	/** Starts a plain WebSocket server that sends whatever the scenario passes to it. */
	serveRaw(options?: RawServerOptions): Promise<void>;
	/** Stops the application gracefully. Resolves once it has stopped. */
	stop(): Promise<void>;
	/** Begins to stop the application gracefully, without waiting until it has stopped. */
	beginStop(): Promise<void>;
	/** Ends the server immediately, as if its process had been killed. */
	kill(): Promise<void>;
	/** Disconnects all clients of the application, by a call on another node. Resolves with how many it has met. */
	disconnect(why: Disconnection): Promise<number>;
	/** Closes every connection with this code and reason. */
	closeConnections(code: number, reason?: string): Promise<void>;

	// The network

	network(fault: NetworkFault): Promise<void>;
	/** How many connections are open. */
	connections(): Promise<number>;
	/** How many connections were ever accepted. */
	accepted(): Promise<number>;

	// Messages from the application

	publish(topic: string, text: string): Promise<void>;
	publishBytes(topic: string, bytes: readonly number[]): Promise<void>;
	broadcast(text: string): Promise<void>;
	/** Emits a numbered message on the other node. */
	emit(topic: string, n: number): Promise<void>;
	/** Emits several numbered messages on the other node, in order. */
	emitAll(topic: string, all: readonly number[]): Promise<void>;
	/** Sends a numbered message to one client. */
	sendTo(socketId: string, n: number): Promise<void>;
	/** Sends a request to a client. */
	request(socketId: string, name: string): Promise<ClientAnswer>;
	/** Emits numbered messages to a topic on the other node, until `stopPublishing()`. */
	publishSteadily(topic: string): Promise<void>;
	/** Stops `publishSteadily()`. Resolves with the messages that it published. */
	stopPublishing(): Promise<Published[]>;
	/** Makes the backend report that messages may be missing. */
	interrupt(topics: readonly string[] | 'all', since: number): Promise<void>;

	// The state of the application

	/** The messages that were handled by all applications of the scenario. */
	handled(): Promise<Handled[]>;
	/** The credentials that the guard has received. */
	credentials(): Promise<unknown[]>;
	/** The topics that clients are subscribed to. */
	subscribedTopics(): Promise<string[]>;
	/** Lets present and future handlers of `wait` messages finish. */
	releaseWaits(): Promise<void>;
	/** Sets the only token that the guard accepts from now on. It refuses the token `expired` as expired. */
	accept(token: string): Promise<void>;
	/** Makes the application refuse subscriptions to these topics from now on. */
	forbid(topics: readonly string[]): Promise<void>;
	/** Makes the application subscribe all clients to these topics: those that are connected, and each that connects. */
	choose(topics: readonly string[]): Promise<void>;
	/** Makes the application unsubscribe all clients from a topic, and no longer choose it. */
	remove(topic: string, code: string): Promise<void>;
	/** Sets whether the backend rejects subscriptions. */
	breakBackend(broken: boolean): Promise<void>;
	/** Sets whether the messages that clients have missed can't be read. */
	breakHistory(broken: boolean): Promise<void>;

	/** Makes users of another node enter a topic. */
	enter(topic: string, users: readonly string[]): Promise<void>;
	/** Makes them leave it. */
	leave(topic: string, users: readonly string[]): Promise<void>;
	/** Resolves with who is in a topic, as the other node knows it. */
	members(topic: string): Promise<readonly PresenceMember[]>;
	/** Makes the application ask again whether clients may be in a topic, and may see who is there. */
	reauthorize(topic: string): Promise<void>;
	/** Sets whether the application's backend can be reached. */
	cutBackend(isCut: boolean): Promise<void>;

	// The raw server

	/** The frames that the raw server has received, in order. */
	received(): Promise<ReceivedFrame[]>;
	sendRaw(text: string): Promise<void>;
	sendRawBytes(bytes: readonly number[]): Promise<void>;
}

export type Scenario = (server: TestServer) => Promise<void>;
