import type { Bus } from '../bus.ts';
import { InvalidOptionError, SubscribeError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { PresenceLink } from '../nodes/presence-link.ts';
import type { RegisteredSocket, Registry } from '../sockets/registry.ts';
import { LocalFanout } from '../sockets/local-fanout.ts';
import type { WebSocketConnection } from '../sockets/websocket-connection.ts';
import type { FailureLog } from '../support/failure-log.ts';
import { DONE, settledWithin } from '../support/promises.ts';
import { Turns } from '../support/turns.ts';
import { wallTime } from '../support/wall-time.ts';
import { topicOfPresenceChannel } from '../wire/channel-names.ts';
import { decodeFrame, encodePresenceHeader, type Presence as PresenceFrame, type Sender } from '../wire/frame.ts';
import type { BackendClock } from './member-view.ts';
import { MemoryPresence } from './memory-presence.ts';
import { OwnPresence } from './own-presence.ts';
import type { PresenceChange, PresenceInfo } from './presence-contract.ts';
import { PresenceListeners } from './presence-listeners.ts';
import { PresenceReplicas, type PresenceReplicasOptions } from './presence-replicas.ts';
import type { PresencePatterns, PresenceRule } from './presence-rules.ts';
import type { PresenceStore } from './presence-store.ts';
import { PresenceWatchers } from './presence-watchers.ts';
import { SkippedEntries } from './skipped-entries.ts';
import { WatchingSockets } from './watching-sockets.ts';

export interface NodePresenceOptions extends Pick<
	PresenceReplicasOptions,
	'subscribeNode' | 'unsubscribeNode' | 'graceMs'
> {
	readonly patterns: PresencePatterns;
	/** Undefined if this process is the only node. */
	readonly bus: Bus | undefined;
	readonly nodeId: string;
	readonly registry: Registry<WebSocketConnection>;
	/** Returns the sender of the change frames that this node causes in a topic, or by a sweep. */
	readonly senderFor: (topic: string | undefined) => Sender;
	readonly failures: FailureLog;
	readonly logger: Logger;
}

export type DescribeSocket = (socket: WebSocketConnection, topic: string) => PresenceInfo | undefined;

/** The most topics that are read at a time. */
const MOST_READS = 16;
/** How long a start waits until this node may store its members, in milliseconds. */
const START_MS = 1_000;

/** The presence of a node: its own members, those of all nodes in the topics that are watched, and who watches them. */
export class NodePresence implements PresenceLink {
	readonly own: OwnPresence;
	readonly replicas: PresenceReplicas;
	readonly watchers: PresenceWatchers;
	readonly listeners: PresenceListeners;
	readonly store: PresenceStore;
	/** Sends to the sockets that watch topics. */
	readonly fanout: LocalFanout;
	readonly #patterns: PresencePatterns;
	readonly #failures: FailureLog;
	#isStarted = false;
	/** Whether this node only stores its last changes. */
	#isStopping = false;
	#stopping: Promise<void> | undefined;
	/** Whether `start` was called last, and not `stop`. */
	#isWanted = false;
	#isBusReady: boolean;
	describe: DescribeSocket | undefined;
	readonly skipped: SkippedEntries;

	/** @throws {InvalidOptionError} the transport can't keep presence */
	constructor(options: NodePresenceOptions) {
		const { patterns, bus, nodeId, registry, senderFor, failures, logger } = options;
		this.#patterns = patterns;
		this.#failures = failures;
		// A provider without other nodes has no backend that could be away.
		this.#isBusReady = bus === undefined;
		this.store = this.#storeOf(bus);
		this.skipped = new SkippedEntries(logger);
		const clock: BackendClock = { aheadMs: 0 };
		this.own = new OwnPresence({
			store: this.store,
			nodeId,
			ruleOf: (topic) => patterns.ruleOf(topic),
			describe: (socket, topic) => this.describe?.(socket as WebSocketConnection, topic),
			onChange: (topic, key) => this.replicas.ownChanged(topic, key),
			onStored: (topic, state) => this.replicas.ownStored(topic, state),
			onTime: (backendMs, at) => (clock.aheadMs = backendMs - wallTime(at)),
			onLost: (isAffected) => this.replicas.lost(isAffected),
			isReady: () => this.isReady,
			header: (topic) => encodePresenceHeader(senderFor(topic)),
			failures,
		});
		this.replicas = new PresenceReplicas(
			{
				nodeId,
				store: this.store,
				own: this.own.members,
				clock,
				turns: new Turns(MOST_READS),
				isReady: () => this.isReady && !this.#isStopping,
				onSkipped: (topic, count) => this.skipped.found(topic, count),
				onError: (error) => {
					// A refused subscription is logged as such.
					if (!(error instanceof SubscribeError)) failures.report(error, 'presence');
				},
			},
			{ ...options, onTell: (topic, change, frame) => this.#tell(topic, change, frame) },
		);
		const sockets = new WatchingSockets();
		this.fanout = new LocalFanout(sockets, logger, true);
		this.watchers = new PresenceWatchers({
			registry,
			replicas: this.replicas,
			own: this.own.members,
			sockets,
			fanout: this.fanout,
		});
		this.listeners = new PresenceListeners(this.replicas, failures);
	}

	#storeOf(bus: Bus | undefined): PresenceStore {
		if (bus === undefined) return new MemoryPresence((topic, frame) => this.#changedHere(topic, frame));
		if (bus.presence !== undefined) return bus.presence;
		throw new InvalidOptionError('presence is not available: this transport cannot keep who is present');
	}

	/** Whether the backend is available. */
	get isReady(): boolean {
		return this.#isStarted && this.#isBusReady;
	}

	/** Returns how a topic's presence is kept; undefined if it is not. */
	ruleOf(topic: string): PresenceRule | undefined {
		return this.#patterns.ruleOf(topic);
	}

	#tell(topic: string, change: PresenceChange | undefined, frame: (() => string) | undefined): void {
		if (frame !== undefined) this.watchers.tell(topic, frame);
		if (change === undefined) return;
		this.watchers.tellCount(change);
		this.listeners.tell(change);
	}

	/** See {@link Presence.update}; only on this node. Returns the number of sockets. */
	readonly update = (topic: string, key: string, change: PresenceInfo): number => {
		try {
			return this.own.members.merge(topic, key, change);
		} catch (thrown) {
			this.#failures.report(thrown, 'presence', { topic, key });
			return 0;
		}
	};

	// Sockets

	/** Called when a socket has been subscribed to any topic. */
	subscribed(socket: RegisteredSocket, topic: string): void {
		this.own.members.subscribed(socket, topic);
	}

	/** Called when a socket has been unsubscribed from any topic. */
	unsubscribed(socket: RegisteredSocket, topic: string): void {
		this.own.members.unsubscribed(socket, topic);
	}

	/** Called when a socket has left all its topics, which its data still lists. */
	removed(socket: RegisteredSocket): void {
		this.own.members.removed(socket);
		this.watchers.removed(socket.data.socketId);
	}

	// The backend

	async prepare(): Promise<void> {
		if (this.#patterns.areAny) await this.store.prepare();
	}

	/** Called when the provider starts, once the bus is connected. */
	async start(): Promise<void> {
		if (!this.#patterns.areAny) return;
		this.#isWanted = true;
		if (this.#stopping !== undefined) await this.#stopping;
		if (this.#isStarted || !this.#isWanted) return;
		this.#isStarted = true;
		this.#isStopping = false;
		this.replicas.start();
		await settledWithin(START_MS, this.own.start());
	}

	/** Called before the bus stops. Takes at most a second. */
	stop(): Promise<void> {
		this.#isWanted = false;
		if (!this.#isStarted) return DONE;
		this.#stopping ??= this.#stop().finally(() => (this.#stopping = undefined));
		return this.#stopping;
	}

	async #stop(): Promise<void> {
		this.#isStopping = true;
		this.replicas.statusChanged();
		await this.own.stop();
		this.#isStarted = false;
	}

	statusChanged(isReady: boolean): void {
		if (this.#isBusReady === isReady) return;
		this.#isBusReady = isReady;
		if (!this.#isStarted) return;
		if (isReady) this.own.ready();
		else this.own.away();
		this.replicas.statusChanged();
	}

	received(channel: string, frame: PresenceFrame, isOwn: boolean): void {
		const topic = topicOfPresenceChannel(channel);
		if (topic !== undefined) this.replicas.received(topic, frame, isOwn);
	}

	/** Called with the change frames of the store in this process. */
	#changedHere(topic: string, bytes: Uint8Array): void {
		const frame = decodeFrame(bytes, 0);
		if (typeof frame === 'object' && frame.type === 'presence') this.replicas.received(topic, frame, true);
	}

	missed(isAffected: (channel: string) => boolean): void {
		this.replicas.missed(isAffected);
	}

	channels(): Iterable<string> {
		return this.replicas.channels();
	}
}
