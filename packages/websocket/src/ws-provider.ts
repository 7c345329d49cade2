import type { Bus, BusStage, BusStatus } from './bus.ts';
import {
	checkHistory,
	checkPublish,
	checkPublishOptions,
	checkResume,
	checkSend,
	checkSendToNode,
	checkTopic,
	unknownSocket,
} from './call-checks.ts';
import {
	HistoryUnavailableError,
	InvalidOptionError,
	InvalidPayloadError,
	InvalidServerError,
	MessageDroppedError,
	NoHistoryError,
	ProviderNotStartedError,
	ProviderStoppedError,
	UnknownSocketError,
} from './errors.ts';
import type { Recovery, ResumeFrom } from './history/catch-up.ts';
import { contentOf } from './history/framing.ts';
import { Histories } from './history/histories.ts';
import type { HistoryPage } from './history/history-page.ts';
import { HistoryPatterns, type HistoryRules } from './history/history-rules.ts';
import { MemoryHistory } from './history/memory-history.ts';
import { consoleLogger, type Logger, safely } from './logger.ts';
import { DEFAULT_HEARTBEAT_MS } from './loss/bus-heartbeat.ts';
import type { Gap } from './loss/gap-events.ts';
import { Membership } from './membership.ts';
import { DEFAULT_GRACE_MS } from './nodes/channel-interest.ts';
import { NodeMessages } from './nodes/node-messages.ts';
import { RemoteNodes } from './nodes/remote-nodes.ts';
import { encodeEnvelope, validate } from './protocol/envelope.ts';
import type { InferInput, SocketMessage } from './protocol/message.ts';
import type { HistoryPageOptions, PublishOptions, SkippedFrames, WebSocketProvider } from './provider.ts';
import { admissionFault } from './sockets/admission.ts';
import { LocalFanout, type PubSubServer } from './sockets/local-fanout.ts';
import { Registry } from './sockets/registry.ts';
import type { SlowReaderOptions } from './sockets/slow-readers.ts';
import type { WebSocketConnection } from './sockets/websocket-connection.ts';
import { mustBeDelay } from './support/delay.ts';
import { Lifecycle } from './support/lifecycle.ts';
import { DONE, quiet, rejected, toError } from './support/promises.ts';
import { type ProviderStatus, Status } from './support/status.ts';
import { BROADCAST_CHANNEL, directChannel, nodeChannel } from './wire/channel-names.ts';
import { isPayload, type Payload } from './wire/payload.ts';

export interface WsProviderOptions {
	/** Carries messages between nodes. Without one, this process is the only node. */
	readonly bus?: Bus;
	/**
	 * Which topics keep their last messages, by pattern, as in `{ 'chat:*': { size: 500, ttlMs: 3_600_000 } }`. `*`
	 * stands for any characters, and the first pattern that matches applies. Must be the same on all nodes. Default:
	 * none.
	 */
	readonly history?: HistoryRules;
	/** Default: the console, without debug lines. */
	readonly logger?: Logger;
	/**
	 * How often a node publishes a heartbeat, in milliseconds; a connection that misses two is dead. Grows with the
	 * number of nodes above 50. Default 500.
	 */
	readonly heartbeatMs?: number;
	/** How long `start` waits for the backend to answer once it is connected, in milliseconds. Default 10,000. */
	readonly startTimeoutMs?: number;
	/** How long a topic without sockets stays subscribed at the backend, in milliseconds. Default 1,000. */
	readonly graceMs?: number;
}

/**
 * Everything a provider is apart from its transport. `InProcWsProvider` and the Redis provider only choose the parts.
 */
export class WsProvider implements WebSocketProvider {
	readonly #logger: Logger;
	readonly #registry = new Registry<WebSocketConnection>();
	readonly #local: LocalFanout;
	readonly #histories: Histories | undefined;
	readonly #remote: RemoteNodes | undefined;
	readonly #membership: Membership;
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
		this.#membership = new Membership({
			registry: this.#registry,
			local: this.#local,
			histories: this.#histories,
			subscribeNode: (channel) => this.#subscribeNode(channel),
			unsubscribeNode: (channel, grace) => this.#remote?.unsubscribe(channel, grace),
			refuse: (error) => this.#refuse(error),
		});
		if (bus === undefined) {
			this.#lifecycle = new Lifecycle();
			return;
		}
		const remote = new RemoteNodes(bus, {
			local: this.#local,
			histories: this.#histories,
			onNodeMessage: (text) => this.#nodeMessages.deliver(text),
			logger,
			graceMs,
			heartbeatMs,
			startTimeoutMs,
			onStatus: (status) => this.#onStatus(status),
			onRefused: (channel, error) => {
				this.#membership.rollBack(channel);
				this.#report(error, 'subscribe');
			},
			onError: (error, stage) => this.#report(error, stage),
		});
		this.#remote = remote;
		this.#lifecycle = new Lifecycle({
			up: async (check) => {
				await remote.start(() => this.#channels(), check);
				this.#status.set(remote.state);
			},
			down: async (from, reason) => {
				this.#status.set('stopped');
				await remote.stop(reason, from === 'started');
			},
		});
	}

	#makeHistories(patterns: HistoryPatterns, bus: Bus | undefined): Histories {
		let store = bus?.history;
		if (bus === undefined) store = new MemoryHistory((topic, slice) => this.#histories?.appended(topic, slice));
		if (store === undefined) throw new InvalidOptionError('history: this transport cannot store messages');
		return new Histories({
			patterns,
			store,
			isShared: bus !== undefined,
			registry: this.#registry,
			local: this.#local,
			onLost: (topic, since, reason) => this.#remote?.unrecoverable(topic, since, reason),
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
		if (this.#remote === undefined) this.#status.set('ready');
		return started;
	}

	stop(): Promise<void> {
		const stopped = this.#lifecycle.stop();
		if (this.#remote === undefined) this.#status.set('stopped');
		return stopped;
	}

	get status(): ProviderStatus {
		return this.#status.value;
	}

	onStatus(listener: (status: ProviderStatus) => void): () => void {
		return this.#status.on(listener);
	}

	onGap(listener: (gap: Gap) => void): () => void {
		return this.#remote?.onGap(listener) ?? (() => {});
	}

	/** The channels that this node needs from other nodes. */
	*#channels(): Generator<string> {
		if (this.#nodeMessages.hasListened) yield nodeChannel(this.nodeId);
		yield* this.#membership.channels();
	}

	/** Once stopped, nothing can be subscribed; the next start subscribes to whatever is needed then. */
	#subscribeNode(channel: string): Promise<void> {
		if (this.#remote === undefined) return DONE;
		if (this.#lifecycle.state === 'stopped') return rejected(new ProviderStoppedError('subscribe()'));
		return this.#remote.subscribe(channel);
	}

	// Sending

	publish(topic: string, payload: Payload, options?: PublishOptions): Promise<void> {
		if (this.#lifecycle.state !== 'started') return this.#notStarted('publish()');
		const error = checkPublish(topic, payload);
		if (error !== undefined) return this.#refuse(error);
		return this.#publish(topic, payload, false, options);
	}

	/** @param isEnvelope whether the payload is an encoded envelope */
	#publish(topic: string, payload: Payload, isEnvelope: boolean, options: PublishOptions | undefined): Promise<void> {
		const histories = this.#histories;
		const bounds = histories?.boundsOf(topic);
		if (options !== undefined) {
			const error = checkPublishOptions(options, topic, bounds !== undefined);
			if (error !== undefined) return this.#refuse(error);
		}
		if (histories !== undefined && bounds !== undefined) {
			const content = isEnvelope ? (payload as string) : contentOf(topic, payload);
			return histories.append(topic, bounds, content, options?.idempotencyKey);
		}
		if (this.#remote === undefined) {
			this.#local.toTopic(topic, payload);
			return DONE;
		}
		// Much of what a node publishes only other nodes need, and asking Bun costs more than this look-up.
		if (this.#registry.memberCount(topic) > 0) this.#local.toTopic(topic, payload);
		return this.#remote.publish(topic, payload);
	}

	publishFrom(socketId: string, topic: string, payload: Payload): Promise<void> {
		if (this.#lifecycle.state !== 'started') return this.#notStarted('publish()');
		const error = checkPublish(topic, payload);
		if (error !== undefined) return this.#refuse(error);
		const socket = this.#registry.get(socketId);
		if (socket === undefined) return this.#refuse(unknownSocket(socketId));
		const bounds = this.#histories?.boundsOf(topic);
		// The sender gets it as well: otherwise one of the messages that it follows by position would be missing.
		if (bounds !== undefined) return (this.#histories as Histories).append(topic, bounds, contentOf(topic, payload));
		this.#local.toOthers(socket, topic, payload);
		return this.#remote === undefined ? DONE : this.#remote.publish(topic, payload);
	}

	send(socketId: string, payload: Payload): Promise<void> {
		if (this.#lifecycle.state !== 'started') return this.#notStarted('send()');
		const error = checkSend(socketId, payload);
		if (error !== undefined) return this.#refuse(error);
		const socket = this.#registry.get(socketId);
		if (socket !== undefined) {
			return this.#local.toSocket(socket, payload) ? DONE : this.#refuse(new MessageDroppedError(socketId));
		}
		if (this.#remote === undefined) return rejected(new UnknownSocketError(socketId));
		return this.#remote.publish(directChannel(socketId), payload);
	}

	broadcast(payload: Payload): Promise<void> {
		if (this.#lifecycle.state !== 'started') return this.#notStarted('broadcast()');
		if (!isPayload(payload)) return this.#refuse(new InvalidPayloadError(payload));
		this.#local.toAll(payload);
		return this.#remote === undefined ? DONE : this.#remote.publish(BROADCAST_CHANNEL, payload);
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
		const error = checkTopic(topic);
		if (error !== undefined) return this.#refuse(error);
		return this.#publish(topic, envelope, true, options);
	}

	sendToNode(nodeId: string, text: string): Promise<void> {
		if (this.#lifecycle.state !== 'started') return this.#notStarted('sendToNode()');
		const error = checkSendToNode(nodeId, text);
		if (error !== undefined) return this.#refuse(error);
		if (nodeId === this.nodeId) {
			this.#nodeMessages.deliver(text);
			return DONE;
		}
		return this.#remote === undefined ? DONE : this.#remote.publish(nodeChannel(nodeId), text);
	}

	onNodeMessage(listener: (text: string) => void): () => void {
		// Before the start this is subscribed with everything else; a failure is in the log.
		const { state } = this.#lifecycle;
		if (!this.#nodeMessages.hasListened && state !== 'idle' && state !== 'stopped') {
			void quiet(this.#subscribeNode(nodeChannel(this.nodeId)));
		}
		return this.#nodeMessages.on(listener);
	}

	// History

	history(topic: string, options?: HistoryPageOptions): Promise<HistoryPage> {
		if (this.#lifecycle.state !== 'started') return this.#notStarted('history()');
		const error = checkHistory(topic, options);
		if (error !== undefined) return this.#refuse(error);
		const { since, limit = DEFAULT_PAGE } = options ?? {};
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
		const error = checkResume(topic, from);
		if (error !== undefined) return this.#refuse(error);
		const socket = this.#registry.get(socketId);
		if (socket === undefined) return this.#refuse(unknownSocket(socketId));
		const bounds = this.#histories?.boundsOf(topic);
		if (bounds === undefined) return this.#refuse(new NoHistoryError(topic, 'resume()'));
		const histories = this.#histories as Histories;
		this.#registry.subscribe(socket, topic);
		histories.subscribed(topic, bounds);
		return quiet(histories.resume(socket, topic, from, this.#subscribeNode(topic)));
	}

	// Connections and topics

	addConnection(socket: WebSocketConnection): Promise<void> {
		const fault = admissionFault(socket, (socketId) => this.#registry.get(socketId));
		return fault === undefined ? this.#membership.add(socket) : this.#reject(socket, fault);
	}

	/** Closes an invalid socket, under an identity of its own, so that its `close` handler can't remove another one. */
	#reject(socket: WebSocketConnection, fault: Error): Promise<never> {
		if (!(fault instanceof UnknownSocketError)) {
			socket.data = { socketId: crypto.randomUUID(), data: socket.data?.data, topics: new Set() };
		}
		socket.close(1011, fault.name);
		return this.#refuse(fault);
	}

	removeConnection(socketId: string): boolean {
		return this.#membership.remove(socketId);
	}

	subscribe(socketId: string, topic: string): Promise<void> {
		if (this.#lifecycle.state === 'stopped') return this.#refuse(new ProviderStoppedError('subscribe()'));
		const error = checkTopic(topic);
		if (error !== undefined) return this.#refuse(error);
		const socket = this.#registry.get(socketId);
		if (socket === undefined) return this.#refuse(unknownSocket(socketId));
		return this.#membership.subscribe(socket, topic);
	}

	unsubscribe(socketId: string, topic: string): Promise<void> {
		const error = checkTopic(topic);
		if (error !== undefined) return this.#refuse(error);
		this.#membership.unsubscribe(socketId, topic);
		return DONE;
	}

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
		return { ...(this.#remote?.skippedFrames ?? NOTHING_SKIPPED) };
	}

	// Failures

	#onStatus(status: BusStatus): void {
		if (status.state === 'ready') this.#logger.info('Cross-node delivery is working');
		else this.#logger.warn(`Cross-node delivery is degraded: ${status.reason}`);
		if (this.#lifecycle.state === 'started') this.#status.set(status.state);
	}

	/** The one place for background failures. */
	#report(error: Error, stage: BusStage): void {
		this.#logger.error(`WebSocket ${stage} failed: ${error.message}`, { stage, err: error });
	}

	/** Refuses a call. Logged as well, because its promise may be ignored. */
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

const DEFAULT_PAGE = 100;
const DEFAULT_START_TIMEOUT_MS = 10_000;
const NOTHING_SKIPPED: SkippedFrames = { 'unknown-version': 0, malformed: 0, late: 0 };
