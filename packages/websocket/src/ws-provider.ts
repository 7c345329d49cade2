import type { Bus, BusStatus } from './bus.ts';
import {
	checkHistory,
	checkListener,
	checkOptionNames,
	checkResume,
	checkSendToNode,
	checkSendToNodeOf,
	checkSubscribe,
	checkTopic,
	checkUnsubscribe,
	unknownSocket,
} from './call-checks.ts';
import type { Cluster, Reauthorizer } from './cluster/cluster-contract.ts';
import { ProviderCluster } from './cluster/provider-cluster.ts';
import { Emitter } from './emitter.ts';
import {
	HistoryUnavailableError,
	InvalidOptionError,
	InvalidServerError,
	InvalidSocketError,
	NoHistoryError,
	ProviderStoppedError,
	UnknownSocketError,
} from './errors.ts';
import type { Recovery, ResumeFrom } from './history/catch-up.ts';
import { Histories } from './history/histories.ts';
import type { HistoryPage } from './history/history-page.ts';
import type { EncodedPage } from './history/shared-pages.ts';
import type { HistoryPatterns } from './history/history-rules.ts';
import { MemoryHistory } from './history/memory-history.ts';
import type { Logger } from './logger.ts';
import type { Gap } from './loss/gap-events.ts';
import { Membership } from './membership/membership.ts';
import { unsubscriptionOf } from './membership/unsubscription.ts';
import { NOTHING_SKIPPED } from './nodes/inbound-frames.ts';
import { NodeDirectory } from './nodes/node-directory.ts';
import { NodeMessages } from './nodes/node-messages.ts';
import { RemoteNodes } from './nodes/remote-nodes.ts';
import { NodePresence } from './presence/node-presence.ts';
import type { Presence, SocketPresence } from './presence/presence-contract.ts';
import type { PresencePatterns } from './presence/presence-rules.ts';
import { ProviderPresence } from './presence/provider-presence.ts';
import { ProviderSocketPresence } from './presence/provider-socket-presence.ts';
import type { InferInput, SocketMessage } from './protocol/message.ts';
import { DEFAULT_PAGE } from './protocol/built-in.ts';
import type {
	EncodedPageOptions,
	HistoryPageOptions,
	MembershipListener,
	PublishOptions,
	SkippedFrames,
	SubscribeOptions,
	UnsubscribeOptions,
	Watermark,
	WebSocketProvider,
} from './provider-contract.ts';
import { DepartedSockets } from './sockets/departed-sockets.ts';
import { checkSocket } from './sockets/socket-check.ts';
import { LocalFanout } from './sockets/local-fanout.ts';
import { MembershipNotices } from './sockets/membership-notices.ts';
import type { PubSubServer, ServerOptions } from './sockets/pub-sub-server.ts';
import { Registry } from './sockets/registry.ts';
import type { WebSocketConnection } from './sockets/websocket-connection.ts';
import { mustBeDelay } from './support/delay.ts';
import { FailureLog } from './support/failure-log.ts';
import { Lifecycle } from './support/lifecycle.ts';
import { DONE, rejected, toError } from './support/promises.ts';
import { type ProviderStatus, Status } from './support/provider-status.ts';
import type { OptionNames } from './support/unknown-option.ts';
import type { Counts } from './wire/digest.ts';
import { BROADCAST_CHANNEL, NODE_TEXT_PREFIX, nodeChannel, presenceChannel } from './wire/channel-names.ts';
import type { Sender } from './wire/frame.ts';
import type { Payload } from './wire/payload.ts';
import { type ReadOptions, readProviderOptions, type WsProviderOptions } from './ws-provider-options.ts';

/**
 * Implements the provider for any transport, and for a single process without one. `InProcWsProvider` and
 * `RedisWsProvider` only choose the bus.
 */
export class WsProvider implements WebSocketProvider {
	readonly #logger: Logger;
	readonly #failures: FailureLog;
	readonly #registry = new Registry<WebSocketConnection>();
	readonly #departed = new DepartedSockets();
	readonly #local: LocalFanout;
	readonly #histories: Histories | undefined;
	readonly #presence: NodePresence | undefined;
	readonly #remote: RemoteNodes | undefined;
	readonly #notices: MembershipNotices;
	readonly #membership: Membership;
	readonly #emitter: Emitter;
	readonly #lifecycle: Lifecycle;
	readonly #status: Status;
	readonly #nodeMessages: NodeMessages;
	readonly #cluster: ProviderCluster;
	readonly #nodes: NodeDirectory;
	#isHistoryUnreadable = false;
	#hasWarnedNotStarted = false;
	readonly nodeId: string = crypto.randomUUID();
	readonly presence: Presence;
	readonly socketPresence: SocketPresence;

	/** @throws {InvalidOptionError} */
	constructor(options: WsProviderOptions = {}) {
		const { bus, history, presence, logger, remote } = readProviderOptions(options);
		this.#logger = logger;
		// A socket that has closed may still be known for a moment: Bun calls its close handler later.
		this.#failures = new FailureLog(logger, (socketId) => this.#departed.has(socketId) || this.isConnected(socketId));
		this.#status = new Status(logger);
		this.#nodeMessages = new NodeMessages(logger);
		this.#nodes = new NodeDirectory(this.nodeId, logger, () => this.#counts());
		this.#local = new LocalFanout(this.#registry, logger);
		this.#histories = history === undefined ? undefined : this.#makeHistories(history, bus);
		this.#presence = presence === undefined ? undefined : this.#makePresence(presence, bus, remote.graceMs);
		this.#notices = new MembershipNotices(this.#local, () => this.watermark());
		this.#membership = new Membership({
			registry: this.#registry,
			local: this.#local,
			notices: this.#notices,
			histories: this.#histories,
			subscribeNode: (channel) => this.#subscribeNode(channel),
			unsubscribeNode: (channel, grace) => this.#remote?.unsubscribe(channel, grace),
			wasAwaySince: (time) => this.#remote?.wasAwaySince(time) === true,
			presence: this.#presence,
			failures: this.#failures,
		});
		this.#remote = bus === undefined ? undefined : this.#makeRemote(bus, remote);
		this.#lifecycle = this.#makeLifecycle(this.#remote);
		this.#cluster = new ProviderCluster({
			nodeId: this.nodeId,
			isAlone: bus === undefined,
			registry: this.#registry,
			membership: this.#membership,
			local: this.#local,
			updatePresence: this.#presence?.update,
			directory: this.#nodes,
			knownNodes: () => this.#remote?.knownNodes ?? 'unknown',
			lifecycle: this.#lifecycle,
			failures: this.#failures,
			logger,
			send: (nodeId, text) => this.#toNodes(nodeChannel(nodeId), text),
			sendToAll: (text) => this.#toNodes(BROADCAST_CHANNEL, text),
		});
		const parts = { node: this.#presence, lifecycle: this.#lifecycle, failures: this.#failures };
		this.presence = new ProviderPresence({ ...parts, update: (...call) => this.#cluster.updatePresence(...call) });
		this.socketPresence = new ProviderSocketPresence({ ...parts, registry: this.#registry });
		this.#emitter = new Emitter({
			lifecycle: this.#lifecycle,
			registry: this.#registry,
			local: this.#local,
			histories: this.#histories,
			remote: this.#remote,
			failures: this.#failures,
		});
	}

	#makePresence(patterns: PresencePatterns, bus: Bus | undefined, graceMs: number): NodePresence {
		return new NodePresence({
			patterns,
			bus,
			graceMs,
			nodeId: this.nodeId,
			registry: this.#registry,
			subscribeNode: (channel) => this.#subscribeNode(channel),
			unsubscribeNode: (channel, grace) => this.#remote?.unsubscribe(channel, grace),
			senderFor: (topic) =>
				this.#remote?.senderFor(topic === undefined ? BROADCAST_CHANNEL : presenceChannel(topic)) ?? NOBODY_ELSE,
			failures: this.#failures,
			logger: this.#logger,
		});
	}

	#makeRemote(bus: Bus, options: ReadOptions['remote']): RemoteNodes {
		return new RemoteNodes(bus, {
			...options,
			logger: this.#logger,
			local: this.#local,
			histories: this.#histories,
			presence: this.#presence,
			directory: this.#nodes,
			counts: () => this.#counts(),
			onNodeMessage: (text) => this.#onNodeText(text),
			onStatus: (status) => this.#onStatus(status),
			onRefused: (channel, error) => {
				this.#membership.rollBack(channel, error);
				this.#failures.report(error, 'subscribe');
			},
			onError: (error, stage) => this.#failures.report(error, stage),
		});
	}

	#counts(): Counts {
		return { connections: this.#registry.socketCount, topics: this.#registry.topicCount };
	}

	#makeLifecycle(remote: RemoteNodes | undefined): Lifecycle {
		if (remote === undefined) return new Lifecycle();
		return new Lifecycle({
			up: async (check) => {
				await remote.start(() => this.#channels(), check);
				this.#membership.started();
				this.#status.set(this.#isHistoryUnreadable ? 'degraded' : remote.state);
			},
			down: async (from, reason) => {
				this.#status.set('stopped');
				this.#cluster.stop();
				await remote.stop(reason, from === 'started');
				this.#failures.flush();
			},
		});
	}

	#makeHistories(patterns: HistoryPatterns, bus: Bus | undefined): Histories {
		const ownStore =
			bus === undefined ? new MemoryHistory((topic, slice) => this.#histories?.appended(topic, slice)) : undefined;
		const store = ownStore ?? bus?.history;
		if (store === undefined)
			throw new InvalidOptionError('history is not available: this transport cannot store messages');
		return new Histories({
			patterns,
			store,
			ownStore,
			registry: this.#registry,
			local: this.#local,
			onLost: (topic, since, reason) => this.#remote?.unrecoverable(topic, since, reason),
			onError: (error) => this.#failures.report(error, 'history'),
			onUnreadable: (areThereAny) => this.#onHistory(areThereAny),
			onRejected: (error) => this.#failures.report(error, 'publish'),
		});
	}

	// Lifecycle

	setServer(server: PubSubServer, options: ServerOptions = {}): void {
		if (typeof (server as Partial<PubSubServer> | undefined)?.publish !== 'function')
			throw new InvalidServerError(server);
		checkOptionNames('setServer()', options, SERVER_OPTIONS);
		const { guardTimeoutMs, addressOf } = options;
		if (guardTimeoutMs !== undefined) mustBeDelay('guardTimeoutMs', guardTimeoutMs, 1);
		if (addressOf !== undefined) checkListener('addressOf', addressOf);
		this.#local.setServer(server, options);
		this.#presence?.fanout.setServer(server, options);
		if (guardTimeoutMs !== undefined) this.#cluster.setGuardTimeout(guardTimeoutMs);
	}

	start(): Promise<void> {
		const started = this.#lifecycle.start();
		if (this.#remote === undefined) {
			this.#nodes.start();
			void this.#presence?.start();
			this.#status.set('ready');
		}
		return started;
	}

	stop(): Promise<void> {
		const stopped = this.#lifecycle.stop();
		if (this.#remote === undefined) {
			this.#status.set('stopped');
			this.#cluster.stop();
			this.#failures.flush();
			return this.#presence?.stop() ?? stopped;
		}
		return stopped;
	}

	get status(): ProviderStatus {
		return this.#status.value;
	}

	onStatus(listener: (status: ProviderStatus) => unknown): () => void {
		checkListener('onStatus()', listener);
		return this.#status.on(listener);
	}

	onGap(listener: (gap: Gap) => unknown): () => void {
		checkListener('onGap()', listener);
		return this.#remote?.onGap(listener) ?? (() => {});
	}

	flushGaps(): void {
		this.#remote?.flushGaps();
	}

	watermark(): Watermark {
		return this.#remote?.watermark() ?? NOTHING_AWAY;
	}

	/** Yields the channels that this node must be subscribed to at the backend. */
	*#channels(): Generator<string> {
		yield nodeChannel(this.nodeId);
		yield* this.#membership.channels();
		if (this.#presence !== undefined) yield* this.#presence.channels();
	}

	/**
	 * Subscribes this node to a channel. Rejects if the provider is stopped: the next start subscribes to the channels
	 * that are needed then.
	 */
	#subscribeNode(channel: string): Promise<void> {
		if (this.#remote === undefined) return DONE;
		if (this.#lifecycle.state === 'stopped') return rejected(new ProviderStoppedError('subscribe()'));
		return this.#remote.subscribe(channel);
	}

	// Sending

	publish(topic: string, payload: Payload, options?: PublishOptions): Promise<void> {
		return this.#emitter.publish(topic, payload, options);
	}

	publishFrom(socketId: string, topic: string, payload: Payload): Promise<void> {
		return this.#emitter.publishFrom(socketId, topic, payload);
	}

	send(socketId: string, payload: Payload): Promise<void> {
		return this.#emitter.send(socketId, payload);
	}

	broadcast(payload: Payload): Promise<void> {
		return this.#emitter.broadcast(payload);
	}

	sendEnvelope(socketId: string, envelope: string): Promise<void> {
		return this.#emitter.sendEnvelope(socketId, envelope);
	}

	broadcastEnvelope(envelope: string): Promise<void> {
		return this.#emitter.broadcastEnvelope(envelope);
	}

	emit<TMessage extends SocketMessage>(
		message: TMessage,
		topic: string,
		data: InferInput<TMessage['data']>,
		options?: PublishOptions,
	): Promise<void> {
		return this.#emitter.emit(message, topic, data, options);
	}

	sendToNode(nodeId: string, text: string): Promise<void> {
		const error = this.#lifecycle.check('sendToNode()') ?? checkSendToNode(nodeId, text);
		if (error !== undefined) return this.#failures.refuse(error);
		if (nodeId === this.nodeId) {
			this.#nodeMessages.deliver(text);
			return DONE;
		}
		return this.#remote === undefined ? DONE : this.#remote.publish(nodeChannel(nodeId), text, true);
	}

	sendToNodeOf(socketId: string, text: string): Promise<void> {
		const error = this.#lifecycle.check('sendToNodeOf()') ?? checkSendToNodeOf(socketId, text);
		if (error !== undefined) return this.#failures.refuse(error);
		if (this.isConnected(socketId)) {
			this.#nodeMessages.deliver(text);
			return DONE;
		}
		// Never logged, as for `send`: the socket may leave at any time.
		if (this.#remote === undefined) return rejected(new UnknownSocketError(socketId));
		return this.#remote.publishToNodeOf(socketId, text);
	}

	onNodeMessage(listener: (text: string) => unknown): () => void {
		checkListener('onNodeMessage()', listener);
		return this.#nodeMessages.on(listener);
	}

	/** Passes on a text of another node. */
	#onNodeText(text: string): void {
		if (text.startsWith(NODE_TEXT_PREFIX)) this.#cluster.receive(text);
		else this.#nodeMessages.deliver(text);
	}

	/** Sends a text of the cluster. Resolves with the number of nodes that it was sent to, if known. */
	#toNodes(channel: string, text: string): Promise<number | undefined> {
		// Other nodes may still ask. That they get no answer is no failure.
		if (this.#lifecycle.state === 'stopped') return rejected(new ProviderStoppedError('publish()'));
		return this.#remote?.publishToNodes(channel, text) ?? NOBODY;
	}

	// All nodes

	get cluster(): Cluster {
		return this.#cluster;
	}

	onReauthorize(reauthorizer: Reauthorizer): () => void {
		return this.#cluster.onReauthorize(reauthorizer);
	}

	// History

	history(topic: string, options?: HistoryPageOptions): Promise<HistoryPage> {
		const error = this.#lifecycle.check('history()') ?? checkHistory(topic, options);
		if (error !== undefined) return this.#failures.refuse(error);
		const { since, before, upTo, limit = DEFAULT_PAGE } = options ?? {};
		const bounds = this.#histories?.boundsOf(topic);
		if (bounds === undefined) return this.#failures.refuse(new NoHistoryError(topic, 'history()'));
		return this.#failures.watch(
			(this.#histories as Histories).page(topic, bounds, { since, before, upTo, limit }).catch((cause: unknown) => {
				throw new HistoryUnavailableError(topic, { cause: toError(cause) });
			}),
		);
	}

	encodedHistory(topic: string, options: EncodedPageOptions): Promise<EncodedPage> {
		const { bytes, ...page } = options;
		const error = this.#lifecycle.check('encodedHistory()') ?? checkHistory(topic, page);
		if (error !== undefined) return this.#failures.refuse(error);
		const bounds = this.#histories?.boundsOf(topic);
		if (bounds === undefined) return this.#failures.refuse(new NoHistoryError(topic, 'encodedHistory()'));
		const { limit = DEFAULT_PAGE } = page;
		return this.#failures.watch((this.#histories as Histories).encodedPage(topic, bounds, { ...page, limit, bytes }));
	}

	hasHistory(topic: string): boolean {
		return this.#histories?.boundsOf(topic) !== undefined;
	}

	resume(socketId: string, topic: string, from: ResumeFrom): Promise<Recovery | undefined> {
		const error = this.#lifecycle.checkSubscribing('resume()') ?? checkResume(topic, from);
		if (error !== undefined) return this.#failures.refuse(error);
		const socket = this.#registry.get(socketId);
		if (socket === undefined) return this.#failures.refuse(unknownSocket(socketId));
		const bounds = this.#histories?.boundsOf(topic);
		if (bounds === undefined) return this.#failures.refuse(new NoHistoryError(topic, 'resume()'));
		return this.#failures.watch(
			this.#membership.resume(socket, topic, bounds, from).then((recovery) => {
				const gap = recovery?.recovered === true ? this.#remote?.misledSpan : undefined;
				return recovery === undefined || gap === undefined ? recovery : { ...recovery, gap };
			}),
		);
	}

	isWithoutPast(socketId: string, topic: string): boolean {
		const socket = this.#registry.get(socketId);
		return socket !== undefined && this.#histories?.floors.of(socket, topic) !== undefined;
	}

	// Connections and topics

	addConnection(socket: WebSocketConnection): Promise<void> {
		const fault = checkSocket(socket, (socketId) => this.#registry.get(socketId));
		if (fault !== undefined) return this.#reject(socket, fault);
		if (this.#lifecycle.state === 'idle') this.#warnNotStarted();
		socket.data.connectedAt ??= Date.now();
		const added = this.#membership.add(socket);
		this.#cluster.added(socket);
		return added;
	}

	/** Logs once that sockets are being added before `start`: they wait for it, and it may never be called. */
	#warnNotStarted(): void {
		if (this.#hasWarnedNotStarted || this.#remote === undefined) return;
		this.#hasWarnedNotStarted = true;
		this.#logger.warn(
			'Sockets were added before provider.start() was called: their addConnection() stays pending until start() has completed',
		);
	}

	/**
	 * Closes an invalid socket. Gives the socket a new id first, so that its `close` handler can't remove another
	 * socket.
	 */
	#reject(socket: WebSocketConnection, fault: Error): Promise<never> {
		if (typeof socket?.close !== 'function') return this.#failures.refuse(new InvalidSocketError(socket));
		if (!(fault instanceof UnknownSocketError)) {
			socket.data = { socketId: crypto.randomUUID(), data: socket.data?.data, topics: new Set() };
		}
		socket.close(1011, fault.name);
		return this.#failures.refuse(fault);
	}

	removeConnection(socketId: string): boolean {
		const wasConnected = this.#membership.remove(socketId);
		if (wasConnected) this.#departed.add(socketId);
		return wasConnected;
	}

	subscribe(socketId: string, topic: string, options?: SubscribeOptions): Promise<void> {
		const error = this.#lifecycle.checkSubscribing('subscribe()') ?? checkSubscribe(topic, options);
		if (error !== undefined) return this.#failures.refuse(error);
		const socket = this.#registry.get(socketId);
		if (socket === undefined) return this.#failures.refuse(unknownSocket(socketId));
		return this.#membership.subscribe(socket, topic, options);
	}

	unsubscribe(socketId: string, topic: string, options?: UnsubscribeOptions): Promise<void> {
		const error = checkUnsubscribe(topic, options);
		if (error !== undefined) return this.#failures.refuse(error);
		const socket = this.#registry.get(socketId);
		if (socket === undefined) return this.#failures.refuse(unknownSocket(socketId));
		this.#membership.unsubscribe(socket, topic, unsubscriptionOf(topic, options));
		return DONE;
	}

	prepare(topic: string): () => void {
		const error = checkTopic(topic);
		if (error !== undefined) throw error;
		return this.#membership.prepare(topic);
	}

	onMembership(listener: MembershipListener): () => void {
		return this.#membership.onChange(listener);
	}

	batchMembership<TResult>(run: () => TResult): TResult {
		return this.#notices.batch(run);
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
		const socketIds = new Set<string>();
		for (const { data } of this.#registry.members(topic)) socketIds.add(data.socketId);
		return socketIds;
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

	#onStatus(status: BusStatus): void {
		if (status.state === 'ready') this.#logger.info('Cross-node delivery is working');
		else this.#logger.warn(`Cross-node delivery is degraded: ${status.reason}`);
		this.#updateStatus();
	}

	#onHistory(isUnreadable: boolean): void {
		this.#isHistoryUnreadable = isUnreadable;
		if (isUnreadable) this.#logger.warn('The history of some topics cannot be read');
		else this.#logger.info('The history of all topics can be read again');
		this.#updateStatus();
	}

	#updateStatus(): void {
		if (this.#remote === undefined || this.#lifecycle.state !== 'started') return;
		this.#status.set(this.#isHistoryUnreadable ? 'degraded' : this.#remote.state);
	}
}

const SERVER_OPTIONS: OptionNames<ServerOptions> = {
	queuedBytes: true,
	queuedBytesOf: true,
	slowReaders: true,
	onSlowReader: true,
	compressFromBytes: true,
	subscribesAlone: true,
	guardTimeoutMs: true,
	addressOf: true,
};
/** The sender of frames that no other node receives. */
const NOBODY_ELSE: Sender = { origin: 0, shard: 0, incarnation: 0 };
/** How many other nodes a provider without a bus reaches. */
const NOBODY: Promise<number> = Promise.resolve(0);
/** The watermark of a provider without other nodes. */
const NOTHING_AWAY: Watermark = { lagMs: 0, isLagging: false, clocksBehindMs: 0, clocksAheadMs: 0 };
