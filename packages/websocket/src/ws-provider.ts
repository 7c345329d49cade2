import { admissionFault } from './sockets/admission.ts';
import type { Bus, BusStage, BusStatus } from './bus.ts';
import { optionsFault, sinceFault } from './support/call-options.ts';
import type { WebSocketConnection } from './sockets/websocket-connection.ts';
import { mustBeDelay } from './support/delay.ts';
import {
	HistoryUnavailableError,
	InvalidIdempotencyKeyError,
	InvalidNodeIdError,
	InvalidOptionError,
	InvalidPayloadError,
	InvalidPositionError,
	InvalidServerError,
	InvalidSocketIdError,
	MessageDroppedError,
	NoHistoryError,
	ProviderNotStartedError,
	ProviderStoppedError,
	UnknownSocketError,
} from './errors.ts';
import type { Gap } from './loss/gap-events.ts';
import type { Recovery, ResumeFrom } from './history/catch-up.ts';
import { contentOf } from './history/framing.ts';
import { Histories, type HistoryPage } from './history/histories.ts';
import { HistoryPatterns, type HistoryRules } from './history/history-rules.ts';
import { MemoryHistory } from './history/memory-history.ts';
import { DEFAULT_HEARTBEAT_MS } from './loss/bus-heartbeat.ts';
import { DEFAULT_GRACE_MS } from './nodes/channel-interest.ts';
import { Lifecycle } from './support/lifecycle.ts';
import { LocalFanout, type PubSubServer } from './sockets/local-fanout.ts';
import { consoleLogger, type Logger, safely } from './logger.ts';
import { BROADCAST_CHANNEL, directChannel, isSocketId, nodeChannel } from './wire/channel-names.ts';
import { RemoteNodes } from './nodes/remote-nodes.ts';
import { isPayload, type Payload } from './wire/payload.ts';
import { encodeEnvelope, validate } from './protocol/envelope.ts';
import type { InferInput, SocketMessage } from './protocol/message.ts';
import { isPosition } from './protocol/position.ts';
import type { HistoryPageOptions, PublishOptions, SkippedFrames, WebSocketProvider } from './provider.ts';
import { NodeMessages } from './nodes/node-messages.ts';
import { Registry } from './sockets/registry.ts';
import type { SlowReaderOptions } from './sockets/slow-readers.ts';
import { type ProviderStatus, Status } from './support/status.ts';
import { DONE, quiet, rejected, toError } from './support/promises.ts';
import { InvalidTopicError, isTopic } from './protocol/topic.ts';

export interface WsProviderOptions {
	/** Carries messages between nodes. Without one, this process is all there is. */
	readonly bus?: Bus;
	/**
	 * Which topics keep their last messages, by pattern, as in `{ 'chat:*': { size: 500, ttlMs: 3_600_000 } }`; `*` stands for any
	 * characters, and the first pattern that fits counts. All nodes need the same. Default: none.
	 */
	readonly history?: HistoryRules;
	/** Default: the console, quiet at debug. */
	readonly logger?: Logger;
	/**
	 * How often a node shows on the bus that it is alive, in milliseconds; two beats that go missing are a dead connection. Grows
	 * with the number of nodes above 50. Default 500.
	 */
	readonly heartbeatMs?: number;
	/** How long `start` waits for the backend to answer once it is connected, in milliseconds. Default 10,000. */
	readonly startTimeoutMs?: number;
	/** How long a topic that emptied stays subscribed at the backend, in milliseconds. Default 1,000. */
	readonly graceMs?: number;
}

/** Everything a provider is besides its transport; `InProcWsProvider` and the Redis provider only choose the parts. */
export class WsProvider implements WebSocketProvider {
	readonly #logger: Logger;
	readonly #registry = new Registry<WebSocketConnection>();
	readonly #local: LocalFanout;
	readonly #histories: Histories | undefined;
	readonly #others: RemoteNodes | undefined;
	readonly #lifecycle: Lifecycle;
	readonly #status: Status;
	readonly #nodeMessages: NodeMessages;
	readonly nodeId: string = crypto.randomUUID();

	constructor(options: WsProviderOptions = {}) {
		const {
			bus,
			history,
			logger: given = consoleLogger,
			graceMs = DEFAULT_GRACE_MS,
			heartbeatMs = DEFAULT_HEARTBEAT_MS,
			startTimeoutMs = DEFAULT_START_TIMEOUT_MS,
		} = options;
		mustBeDelay('graceMs', graceMs, 0);
		mustBeDelay('heartbeatMs', heartbeatMs, 50);
		mustBeDelay('startTimeoutMs', startTimeoutMs, 1);
		const logger = safely(given);
		this.#logger = logger;
		this.#status = new Status(logger);
		this.#nodeMessages = new NodeMessages(logger);
		this.#local = new LocalFanout(this.#registry, logger);
		this.#histories = history === undefined ? undefined : this.#makeHistories(new HistoryPatterns(history), bus);
		if (bus === undefined) {
			this.#lifecycle = new Lifecycle();
			return;
		}
		const others = new RemoteNodes(bus, {
			local: this.#local,
			histories: this.#histories,
			onNodeMessage: (text) => this.#nodeMessages.deliver(text),
			logger,
			graceMs,
			heartbeatMs,
			startTimeoutMs,
			onStatus: (status) => this.#onStatus(status),
			onRefused: (channel, error) => this.#rollBack(channel, error),
			onError: (error, stage) => this.#report(error, stage),
		});
		this.#others = others;
		this.#lifecycle = new Lifecycle({
			up: async (check) => {
				await others.start(() => this.#channels(), check);
				this.#status.set(others.state);
			},
			down: async (from, reason) => {
				this.#status.set('stopped');
				await others.stop(reason, from === 'started');
			},
		});
	}

	#makeHistories(patterns: HistoryPatterns, bus: Bus | undefined): Histories {
		let store = bus?.history;
		if (bus === undefined) store = new MemoryHistory((topic, slice) => this.#histories?.appended(topic, slice));
		if (store === undefined) throw new InvalidOptionError('history: this transport can not keep messages');
		return new Histories({
			patterns,
			store,
			isShared: bus !== undefined,
			registry: this.#registry,
			local: this.#local,
			onLost: (topic, since, reason) => this.#others?.unrecoverable(topic, since, reason),
			onError: (error) => this.#report(error, 'history'),
			onRejected: (error) => this.#report(error, 'publish'),
		});
	}

	// Lifecycle

	setServer(server: PubSubServer, options: SlowReaderOptions = {}): void {
		if (typeof (server as Partial<PubSubServer> | undefined)?.publish !== 'function')
			throw new InvalidServerError(server);
		this.#local.setServer(server, options);
	}

	start(): Promise<void> {
		const started = this.#lifecycle.start();
		if (this.#others === undefined) this.#status.set('ready');
		return started;
	}

	stop(): Promise<void> {
		const stopped = this.#lifecycle.stop();
		if (this.#others === undefined) this.#status.set('stopped');
		return stopped;
	}

	get status(): ProviderStatus {
		return this.#status.value;
	}

	onStatus(listener: (status: ProviderStatus) => void): () => void {
		return this.#status.on(listener);
	}

	onGap(listener: (gap: Gap) => void): () => void {
		return this.#others?.onGap(listener) ?? (() => {});
	}

	/** What this node and its sockets want from other nodes. */
	*#channels(): Generator<string> {
		if (this.#nodeMessages.hasListened) yield nodeChannel(this.nodeId);
		yield* this.#registry.topics();
		for (const socket of this.#registry.sockets()) yield directChannel(socket.data.socketId);
	}

	// Sending

	publish(topic: string, payload: Payload, options?: PublishOptions): Promise<void> {
		if (this.#lifecycle.state !== 'started') return this.#notStarted('publish()');
		if (!isTopic(topic)) return this.#refuse(new InvalidTopicError(topic));
		if (!isPayload(payload)) return this.#refuse(new InvalidPayloadError(payload));
		return this.#publish(topic, payload, false, options);
	}

	/** @param isEnvelope whether it is one already */
	#publish(topic: string, payload: Payload, isEnvelope: boolean, options: PublishOptions | undefined): Promise<void> {
		const histories = this.#histories;
		const bounds = histories?.boundsOf(topic);
		if (options !== undefined) {
			const fault = optionsFault('publish()', options, PUBLISH_OPTIONS);
			if (fault !== undefined) return this.#refuse(fault);
		}
		const key = options?.idempotencyKey;
		if (key !== undefined) {
			if (!isIdempotencyKey(key)) return this.#refuse(new InvalidIdempotencyKeyError(key));
			if (bounds === undefined) return this.#refuse(new NoHistoryError(topic, 'an idempotencyKey'));
		}
		if (histories !== undefined && bounds !== undefined) {
			return histories.append(topic, bounds, isEnvelope ? (payload as string) : contentOf(topic, payload), key);
		}
		if (this.#others === undefined) {
			this.#local.toTopic(topic, payload);
			return DONE;
		}
		// Much of what a node publishes only others want, and to ask Bun costs more than to know.
		if (this.#registry.memberCount(topic) > 0) this.#local.toTopic(topic, payload);
		return this.#others.publish(topic, payload);
	}

	publishFrom(socketId: string, topic: string, payload: Payload): Promise<void> {
		if (this.#lifecycle.state !== 'started') return this.#notStarted('publish()');
		if (!isTopic(topic)) return this.#refuse(new InvalidTopicError(topic));
		if (!isPayload(payload)) return this.#refuse(new InvalidPayloadError(payload));
		const socket = this.#registry.get(socketId);
		if (socket === undefined) return this.#refuse(unknownSocket(socketId));
		const bounds = this.#histories?.boundsOf(topic);
		// One sequence for all, the sender included: it would otherwise miss one of the messages that follow one another.
		if (bounds !== undefined) return (this.#histories as Histories).append(topic, bounds, contentOf(topic, payload));
		this.#local.toOthers(socket, topic, payload);
		return this.#others === undefined ? DONE : this.#others.publish(topic, payload);
	}

	send(socketId: string, payload: Payload): Promise<void> {
		if (this.#lifecycle.state !== 'started') return this.#notStarted('send()');
		if (!isSocketId(socketId)) return this.#refuse(new InvalidSocketIdError(socketId));
		if (!isPayload(payload)) return this.#refuse(new InvalidPayloadError(payload));
		const socket = this.#registry.get(socketId);
		if (socket !== undefined) {
			return this.#local.toSocket(socket, payload) ? DONE : this.#refuse(new MessageDroppedError(socketId));
		}
		if (this.#others === undefined) return rejected(new UnknownSocketError(socketId));
		return this.#others.publish(directChannel(socketId), payload);
	}

	broadcast(payload: Payload): Promise<void> {
		if (this.#lifecycle.state !== 'started') return this.#notStarted('broadcast()');
		if (!isPayload(payload)) return this.#refuse(new InvalidPayloadError(payload));
		this.#local.toAll(payload);
		return this.#others === undefined ? DONE : this.#others.publish(BROADCAST_CHANNEL, payload);
	}

	emit<TMessage extends SocketMessage>(
		message: TMessage,
		topic: string,
		data: InferInput<TMessage['data']>,
		options?: PublishOptions,
	): Promise<void> {
		try {
			const valid = validate(message, data);
			if (!(valid instanceof Promise)) return this.#emitValid(message, topic, valid, options);
			return quiet(
				valid.then(
					(value) => this.#emitValid(message, topic, value, options),
					(thrown: unknown) => this.#refuse(toError(thrown)),
				),
			);
		} catch (thrown) {
			return this.#refuse(toError(thrown));
		}
	}

	#emitValid(message: SocketMessage, topic: string, data: unknown, options?: PublishOptions): Promise<void> {
		let envelope: string;
		try {
			envelope = encodeEnvelope(message.name, data, topic);
		} catch (cause) {
			return this.#refuse(new InvalidPayloadError(data, { cause }));
		}
		if (this.#lifecycle.state !== 'started') return this.#notStarted('publish()');
		if (!isTopic(topic)) return this.#refuse(new InvalidTopicError(topic));
		return this.#publish(topic, envelope, true, options);
	}

	// History

	history(topic: string, options?: HistoryPageOptions): Promise<HistoryPage> {
		if (this.#lifecycle.state !== 'started') return this.#notStarted('history()');
		if (!isTopic(topic)) return this.#refuse(new InvalidTopicError(topic));
		const fault = optionsFault('history()', options, HISTORY_OPTIONS);
		if (fault !== undefined) return this.#refuse(fault);
		const { since, limit = DEFAULT_PAGE } = options ?? {};
		if (since !== undefined && !isPosition(since)) return this.#refuse(sinceFault(since));
		if (!isCount(limit, LARGEST_PAGE))
			return this.#refuse(new InvalidPositionError('limit', limit, `a whole number from 1 to ${LARGEST_PAGE}`));
		const bounds = this.#histories?.boundsOf(topic);
		if (bounds === undefined) return this.#refuse(new NoHistoryError(topic, 'history()'));
		return quiet(
			(this.#histories as Histories).page(topic, bounds, since, limit).catch((cause: unknown) => {
				throw new HistoryUnavailableError(topic, { cause: toError(cause) });
			}),
		);
	}

	hasHistory(topic: string): boolean {
		return this.#histories?.boundsOf(topic) !== undefined;
	}

	resume(socketId: string, topic: string, from: ResumeFrom): Promise<Recovery | undefined> {
		if (this.#lifecycle.state === 'stopped') return this.#refuse(new ProviderStoppedError('resume()'));
		if (!isTopic(topic)) return this.#refuse(new InvalidTopicError(topic));
		const fault = optionsFault('resume()', from ?? null, RESUME_OPTIONS);
		if (fault !== undefined) return this.#refuse(fault);
		const { since, rewind } = from;
		if (since !== undefined && !isPosition(since)) return this.#refuse(sinceFault(since));
		if (rewind !== undefined && !isCount(rewind, MOST_REWIND))
			return this.#refuse(new InvalidPositionError('rewind', rewind, `a whole number from 1 to ${MOST_REWIND}`));
		const socket = this.#registry.get(socketId);
		if (socket === undefined) return this.#refuse(unknownSocket(socketId));
		const bounds = this.#histories?.boundsOf(topic);
		if (bounds === undefined) return this.#refuse(new NoHistoryError(topic, 'resume()'));
		const histories = this.#histories as Histories;
		this.#registry.join(socket, topic);
		histories.joined(topic, bounds);
		return quiet(histories.resume(socket, topic, from, this.#listen(topic)));
	}

	sendToNode(nodeId: string, text: string): Promise<void> {
		if (this.#lifecycle.state !== 'started') return this.#notStarted('sendToNode()');
		if (!isSocketId(nodeId)) return this.#refuse(new InvalidNodeIdError(nodeId));
		if (typeof text !== 'string') return this.#refuse(new InvalidPayloadError(text));
		if (nodeId === this.nodeId) {
			this.#nodeMessages.deliver(text);
			return DONE;
		}
		return this.#others === undefined ? DONE : this.#others.publish(nodeChannel(nodeId), text);
	}

	onNodeMessage(listener: (text: string) => void): () => void {
		// Before the start this comes with all else that is wanted; a failure is in the log.
		const { state } = this.#lifecycle;
		if (!this.#nodeMessages.hasListened && state !== 'idle' && state !== 'stopped') {
			void quiet(this.#listen(nodeChannel(this.nodeId)));
		}
		return this.#nodeMessages.on(listener);
	}

	// Connections and topics

	addConnection(socket: WebSocketConnection): Promise<void> {
		const fault = admissionFault(socket, (socketId) => this.#registry.get(socketId));
		if (fault !== undefined) return this.#turnAway(socket, fault);
		const { socketId } = socket.data;
		const topics = this.#registry.get(socketId) === undefined ? this.#registry.add(socket) : NONE;
		const reachable = this.#listen(directChannel(socketId));
		if (topics.length === 0) return reachable;
		const joined = topics.map((topic) => this.#join(socket, topic));
		return quiet(Promise.all([reachable, ...joined]).then(() => {}));
	}

	/** Closes a socket that can't be taken in, under an identity of its own, so that its closing can't remove another. */
	#turnAway(socket: WebSocketConnection, fault: Error): Promise<never> {
		if (!(fault instanceof UnknownSocketError)) {
			socket.data = { socketId: crypto.randomUUID(), data: socket.data?.data, topics: new Set() };
		}
		socket.close(1011, fault.name);
		return this.#refuse(fault);
	}

	removeConnection(socketId: string): boolean {
		const socket = this.#registry.get(socketId);
		if (socket === undefined) return false;
		if (socket.readyState === WebSocket.OPEN) {
			for (const topic of socket.data.topics) this.#local.leave(socket, topic);
		}
		const emptied = this.#registry.remove(socketId);
		if (this.#others !== undefined) {
			for (const topic of emptied) this.#others?.unsubscribe(topic);
			this.#others?.unsubscribe(directChannel(socketId), 0);
		}
		if (this.#histories !== undefined) {
			for (const topic of socket.data.topics) this.#histories.left(socketId, topic);
			for (const topic of emptied) this.#histories.emptied(topic);
		}
		return true;
	}

	subscribe(socketId: string, topic: string): Promise<void> {
		if (this.#lifecycle.state === 'stopped') return this.#refuse(new ProviderStoppedError('subscribe()'));
		if (!isTopic(topic)) return this.#refuse(new InvalidTopicError(topic));
		const socket = this.#registry.get(socketId);
		if (socket === undefined) return this.#refuse(unknownSocket(socketId));
		return this.#join(socket, topic);
	}

	#join(socket: WebSocketConnection, topic: string): Promise<void> {
		if (this.#registry.join(socket, topic) && !this.#local.join(socket, topic)) {
			this.#registry.leave(socket, topic);
			return this.#refuse(new UnknownSocketError(socket.data.socketId));
		}
		const bounds = this.#histories?.boundsOf(topic);
		if (bounds === undefined) return this.#listen(topic);
		this.#histories?.joined(topic, bounds);
		return quiet(this.#listen(topic).then(() => this.#histories?.ready(topic)));
	}

	/** While stopped nothing can be listened to; the next start listens to whatever sockets want by then. */
	#listen(channel: string): Promise<void> {
		if (this.#others === undefined) return DONE;
		if (this.#lifecycle.state === 'stopped') return rejected(new ProviderStoppedError('listening to other nodes'));
		return this.#others.subscribe(channel);
	}

	unsubscribe(socketId: string, topic: string): Promise<void> {
		if (!isTopic(topic)) return this.#refuse(new InvalidTopicError(topic));
		const socket = this.#registry.get(socketId);
		if (socket !== undefined && socket.data.topics.has(topic)) {
			this.#local.leave(socket, topic);
			this.#histories?.left(socketId, topic);
			if (this.#registry.leave(socket, topic)) {
				this.#others?.unsubscribe(topic);
				this.#histories?.emptied(topic);
			}
		}
		return DONE;
	}

	// Questions

	getConnections(): Iterable<WebSocketConnection> {
		return this.#registry.sockets();
	}

	getConnection<TData = unknown>(socketId: string): WebSocketConnection<TData> | undefined {
		return this.#registry.get(socketId) as WebSocketConnection<TData> | undefined;
	}

	isConnected(socketId: string): boolean {
		return this.#registry.get(socketId) !== undefined;
	}

	getConnectionCount(): number {
		return this.#registry.socketCount;
	}

	getTopicSubscribers(topic: string): ReadonlySet<string> {
		return new Set(this.#registry.members(topic));
	}

	getTopicSubscriberCount(topic: string): number {
		return this.#registry.memberCount(topic);
	}

	getTopicCount(): number {
		return this.#registry.topicCount;
	}

	getSkippedFrames(): SkippedFrames {
		return { ...(this.#others?.skippedFrames ?? NOTHING_SKIPPED) };
	}

	#rollBack(channel: string, error: Error): void {
		for (const socketId of this.#registry.members(channel)) {
			const socket = this.#registry.get(socketId);
			if (socket === undefined) continue;
			this.#local.leave(socket, channel);
			this.#histories?.left(socketId, channel);
			if (this.#registry.leave(socket, channel)) this.#histories?.emptied(channel);
		}
		this.#report(error, 'subscribe');
	}

	// What goes wrong

	#onStatus(status: BusStatus): void {
		if (status.state === 'ready') this.#logger.info('Messages pass between nodes');
		else this.#logger.warn(`Messages may not pass between nodes: ${status.reason}`);
		if (this.#lifecycle.state === 'started') this.#status.set(status.state);
	}

	/** The one place for what fails in the background. */
	#report(error: Error, stage: BusStage): void {
		this.#logger.error(`WebSocket ${stage} failed: ${error.message}`, { stage, err: error });
	}

	/** Refuses a call; said in the log too, because nobody may be awaiting it. */
	#refuse(error: Error): Promise<never> {
		this.#logger.warn(error.message, { err: error });
		return rejected(error);
	}

	#notStarted(call: string): Promise<never> {
		return this.#refuse(
			this.#lifecycle.state === 'stopped' ? new ProviderStoppedError(call) : new ProviderNotStartedError(call),
		);
	}
}

function unknownSocket(socketId: string): Error {
	return isSocketId(socketId) ? new UnknownSocketError(socketId) : new InvalidSocketIdError(socketId);
}

function isIdempotencyKey(key: unknown): key is string {
	// Half of a surrogate pair has no UTF-8, so that different keys would be the same one on a server.
	return typeof key === 'string' && key.length >= 1 && key.length <= 256 && key.isWellFormed();
}

function isCount(value: unknown, most: number): value is number {
	return Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= most;
}

const PUBLISH_OPTIONS = ['idempotencyKey'];
const HISTORY_OPTIONS = ['since', 'limit'];
const RESUME_OPTIONS = ['since', 'rewind'];
const DEFAULT_PAGE = 100;
const LARGEST_PAGE = 1_000;
const MOST_REWIND = 100_000;
const DEFAULT_START_TIMEOUT_MS = 10_000;
const NONE: readonly string[] = [];
const NOTHING_SKIPPED: SkippedFrames = { 'unknown-version': 0, malformed: 0, late: 0 };
