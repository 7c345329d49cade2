import type { NodeInfo, NodesChange } from '../nodes/node-directory.ts';
import type { WebSocketConnection } from '../sockets/websocket-connection.ts';
import type { InferInput, InferOutput, RequestMessage, SocketMessage } from '../protocol/message.ts';

/**
 * Which sockets of all nodes an action is about: one, those of a user, those that are subscribed to a topic, or all. No
 * socket need match.
 */
export type Target =
	| { readonly socketId: string; readonly userId?: never; readonly topic?: never }
	| { readonly userId: string; readonly socketId?: never; readonly topic?: never }
	| { readonly topic: string; readonly socketId?: never; readonly userId?: never }
	| 'all';

export interface TimeLimit {
	/** How long to wait for other nodes, in milliseconds, 1 to 60,000. Default 5,000. */
	readonly timeoutMs?: number | undefined;
}

export interface ActionOptions extends TimeLimit {
	/** The id of a socket that is left out, or up to 100 ids. */
	readonly except?: string | readonly string[] | undefined;
}

/** What is known of the nodes that were asked. */
export interface Answered {
	/**
	 * The number of nodes that were asked, this one included. It may be larger than that of the nodes that have answered
	 * or are named in `unanswered`: the backend may know nodes that this one does not know yet. It is, by at least one,
	 * if the backend has not accepted the question, because there may be others then.
	 */
	readonly nodes: number;
	/** The number of nodes that have answered in time. */
	readonly answered: number;
	/** The ids of the nodes that have not. What they have done is unknown. */
	readonly unanswered: readonly string[];
}

export interface ActionResult extends Answered {
	/**
	 * The number of sockets on which the action was done, by the nodes that have answered. Sockets of a user that are
	 * met later are not included.
	 */
	readonly sockets: number;
}

export interface DisconnectOptions extends ActionOptions {
	/**
	 * Why, for the client: 1 to 64 characters from `a-z 0-9 _`, beginning with a letter, such as `banned`. Default
	 * `disconnected`.
	 */
	readonly code?: string | undefined;
	/** The text that the client is told. Default: that the server has disconnected it. */
	readonly message?: string | undefined;
	/** Whether the client comes back by itself, after a random delay. Default true. */
	readonly reconnect?: boolean | undefined;
}

export interface ClusterSubscribeOptions extends ActionOptions {
	/** As in `provider.subscribe`. */
	readonly past?: boolean | undefined;
}

export interface ClusterUnsubscribeOptions extends ActionOptions {
	/** As in `provider.unsubscribe`. */
	readonly code?: string | undefined;
	/** As in `provider.unsubscribe`. */
	readonly message?: string | undefined;
}

export interface ConnectionsOptions extends ActionOptions {
	/** The maximum number of connections to return, of all nodes, 1 to 10,000. Default 100. */
	readonly limit?: number | undefined;
}

/** One connection, as its node knows it. */
export interface ConnectionInfo {
	readonly socketId: string;
	/** Absent if the user is unknown. */
	readonly userId?: string;
	readonly nodeId: string;
	/** When the connection began, in milliseconds since the epoch, by its node's clock. */
	readonly connectedAt: number;
	/** The client's address; `unix` if it is connected by a Unix socket, and has none. */
	readonly address: string;
	/** Up to 100 of the topics that it is subscribed to. */
	readonly topics: readonly string[];
	/** The number of topics that it is subscribed to. */
	readonly topicCount: number;
	/** Whether the client speaks the protocol. */
	readonly isSpeaker: boolean;
}

export interface ConnectionsResult extends ActionResult {
	readonly connections: readonly ConnectionInfo[];
	/** Whether there are more connections: above the limit, or above 4 MiB of descriptions on one node. */
	readonly hasMore: boolean;
}

/** How asking again about the topics of some sockets has ended. */
export interface Reauthorization {
	/** About how many topics the application was asked, counting each connection. */
	readonly asked: number;
	/** How many of these the clients are no longer in. */
	readonly left: number;
}

/**
 * Asks again about the topics that clients have asked for. Gets all sockets of the action, and leaves out those that
 * are not its own.
 *
 * @param topic default: all
 */
export type Reauthorizer = (
	sockets: readonly WebSocketConnection[],
	topic: string | undefined,
) => Promise<Reauthorization>;

export interface ReauthorizeResult extends ActionResult, Reauthorization {}

export interface CountResult extends Answered {
	/** What the nodes that have answered have in all. */
	readonly count: number;
	/** Whether some nodes have not answered, so that there may be more. */
	readonly isPartial: boolean;
}

/** The nodes that a message is for: all, all but this one, one, or several. */
export type ToNodes = 'all' | 'others' | (string & {}) | readonly string[];

export interface NodeEmitOptions {
	/** Default `others`. */
	readonly to?: ToNodes | undefined;
}

export interface NodeRequestOptions extends NodeEmitOptions, TimeLimit {}

export interface NodeMessageContext {
	/** The id of the node that has sent the message. */
	readonly from: string;
}

/** Handles a message of a node. The reply is undefined for a message without one. */
export type NodeMessageHandler<TMessage extends SocketMessage> = (
	data: InferOutput<TMessage['data']>,
	context: NodeMessageContext,
) => NodeReply<TMessage> | Promise<NodeReply<TMessage>>;

type NodeReply<TMessage extends SocketMessage> = TMessage extends RequestMessage
	? InferInput<TMessage['reply']>
	: unknown;

export interface NodeAnswers<TReply> extends Answered {
	/** The replies, by the id of the node. */
	readonly answers: ReadonlyMap<string, TReply>;
	/**
	 * Why nodes have answered without a reply, by the id of the node: {@link NoHandlerError}, {@link NodeVersionError}
	 * or {@link NodeRequestError}. They count as answered.
	 */
	readonly errors: ReadonlyMap<string, Error>;
}

/**
 * All nodes as one: which there are, actions on sockets wherever they are connected, and messages between nodes.
 *
 * Each action asks all nodes and resolves within its time limit, also if nodes die: those that have not answered are
 * named, because it is unknown what they have done. While the backend is away, an action is done on this node, and all
 * others are named. A target that no socket matches is no error. Every promise may be
 * ignored.
 *
 * An action on a `userId` is also done on sockets of that user whose connection has begun before it, but whose guards
 * pass only after it.
 *
 * Each call that returns a promise rejects, before anything is done, with {@link InvalidTargetError},
 * {@link InvalidSocketIdError}, {@link InvalidUserIdError}, {@link InvalidTopicError}, {@link InvalidExceptError} or
 * {@link InvalidOptionError} if an argument is invalid, and with {@link ProviderNotStartedError} or
 * {@link ProviderStoppedError} if the provider is not started. If the provider is stopped later, the calls that are
 * pending resolve, and name the nodes that have not answered.
 */
export interface Cluster {
	/** Returns the nodes that are known to run, this one first. */
	nodes(): readonly NodeInfo[];
	/**
	 * Returns the nodes that have fallen silent within the last 10 minutes without having stopped, as they were when
	 * they were last heard; the counts of those that were silent before this node started are 0. Each action names them
	 * among `unanswered`.
	 */
	silentNodes(): readonly NodeInfo[];
	/**
	 * Calls `listener` when nodes have been found, have stopped or have fallen silent. If it throws or rejects, the
	 * error is logged. Returns a function that removes it.
	 *
	 * @throws {InvalidOptionError} the listener is not a function
	 */
	onNodesChange(listener: (change: NodesChange) => unknown): () => void;

	/**
	 * Closes connections. A client that speaks the protocol is first told why by `@disconnected`. The code of the close
	 * is 4403 with `reconnect: false`; otherwise 4503, and the reason holds a random delay.
	 */
	disconnect(target: Target, options?: DisconnectOptions): Promise<ActionResult>;
	/**
	 * Subscribes sockets to a topic. What is published to it after this has resolved reaches the sockets that are
	 * counted.
	 */
	subscribe(target: Target, topic: string, options?: ClusterSubscribeOptions): Promise<ActionResult>;
	/**
	 * Unsubscribes sockets from a topic. Those that are not subscribed to it are not counted. If it is just being
	 * decided whether their clients may subscribe to it, `authorize.subscribe` is asked again.
	 */
	unsubscribe(target: Target, topic: string, options?: ClusterUnsubscribeOptions): Promise<ActionResult>;
	/**
	 * Asks `authorize.subscribe` again about the topics that clients have asked for, as `app.reauthorize` does.
	 *
	 * @param topic default: all topics that the clients have asked for
	 */
	reauthorize(target: Target, topic?: string, options?: ActionOptions): Promise<ReauthorizeResult>;
	/** Returns connections, the oldest of each node first. `sockets` counts all, also those above the limit. */
	connections(target: Target, options?: ConnectionsOptions): Promise<ConnectionsResult>;
	/** Returns the number of connections, which may be some seconds old. */
	connectionCount(options?: TimeLimit): Promise<CountResult>;
	/**
	 * Returns the number of sockets that are subscribed to a topic. Sockets that the application has subscribed in Bun
	 * itself don't count.
	 */
	subscriberCount(topic: string, options?: TimeLimit): Promise<CountResult>;

	/**
	 * Handles a message that nodes send each other, with data that has been validated. Messages that one node sends to
	 * all, or to the others, arrive in order, and so do those that it sends to a node by its id. If the handler throws
	 * or rejects, the error is logged, unless it is a `SocketError`, whose code and text the requesting node receives.
	 * Returns a function that removes the handler.
	 *
	 * @throws {InvalidMessageDefinitionError} {InvalidOptionError}
	 * @throws {DuplicateNodeHandlerError} the message has a reply, and a handler
	 */
	on<TMessage extends SocketMessage>(message: TMessage, handler: NodeMessageHandler<TMessage>): () => void;
	/**
	 * Sends a message to nodes, which is delivered at most once. Resolves when the backend has accepted it. Nodes
	 * without a handler ignore it.
	 *
	 * @throws {MessageValidationError} {UnsupportedValueError} {InvalidMessageDefinitionError} {InvalidNodeIdError}
	 * {InvalidOptionError} {ProviderNotStartedError} {ProviderStoppedError} nothing was sent
	 * @throws {SchemaTimeoutError} the schema has not come to a result within 5 s; nothing was sent
	 * @throws {BusUnavailableError} the backend did not confirm the message, which may not have been sent
	 */
	emit<TMessage extends SocketMessage>(
		message: TMessage,
		data: InferInput<TMessage['data']>,
		options?: NodeEmitOptions,
	): Promise<void>;
	/**
	 * Sends a request to nodes. Resolves with their answers; it does not reject because nodes don't answer.
	 *
	 * @throws {MessageValidationError} {UnsupportedValueError} {InvalidMessageDefinitionError} {InvalidNodeIdError}
	 * {InvalidOptionError} {ProviderNotStartedError} {ProviderStoppedError} nothing was sent
	 * @throws {SchemaTimeoutError} the schema has not come to a result within the time limit; nothing was sent
	 */
	request<TMessage extends RequestMessage>(
		message: TMessage,
		data: InferInput<TMessage['data']>,
		options?: NodeRequestOptions,
	): Promise<NodeAnswers<InferOutput<TMessage['reply']>>>;
}
