import { admissionFault } from './admission.ts';
import type { Bus, BusStage, BusStatus } from './bus.ts';
import type { WebSocketConnection } from './connection.ts';
import { mustBeDelay } from './delay.ts';
import {
	InvalidNodeIdError,
	InvalidPayloadError,
	InvalidServerError,
	InvalidSocketIdError,
	MessageDroppedError,
	ProviderNotStartedError,
	ProviderStoppedError,
	UnknownSocketError,
} from './errors.ts';
import type { Gap } from './gaps.ts';
import { DEFAULT_HEARTBEAT_MS } from './heartbeat.ts';
import { DEFAULT_GRACE_MS } from './interest.ts';
import { Lifecycle } from './lifecycle.ts';
import { LocalDelivery, type PubSubServer } from './local-delivery.ts';
import { consoleLogger, type Logger, safely } from './logger.ts';
import { BROADCAST_CHANNEL, directChannel, isSocketId, nodeChannel } from './names.ts';
import { OtherNodes } from './other-nodes.ts';
import { isPayload, type Payload } from './payload.ts';
import { encodeEnvelope, validate } from './protocol/envelope.ts';
import type { InferInput, SocketMessage } from './protocol/message.ts';
import type { SkippedFrames, WebSocketProvider } from './provider.ts';
import { NodeMessages } from './node-messages.ts';
import { Registry } from './registry.ts';
import type { SlowReaderOptions } from './slow-readers.ts';
import { type ProviderStatus, Status } from './status.ts';
import { DONE, quiet, rejected, toError } from './settled.ts';
import { InvalidTopicError, isTopic } from './protocol/topic.ts';

export interface WsProviderOptions {
	/** Carries messages between nodes. Without one, this process is all there is. */
	readonly bus?: Bus;
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
	readonly #local: LocalDelivery;
	readonly #others: OtherNodes | undefined;
	readonly #lifecycle: Lifecycle;
	readonly #status: Status;
	readonly #nodeMessages: NodeMessages;
	readonly nodeId: string = crypto.randomUUID();

	constructor(options: WsProviderOptions = {}) {
		const {
			bus,
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
		this.#local = new LocalDelivery(this.#registry, logger);
		if (bus === undefined) {
			this.#lifecycle = new Lifecycle();
			return;
		}
		const others = new OtherNodes(bus, {
			local: this.#local,
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
		if (this.#nodeMessages.isHeard) yield nodeChannel(this.nodeId);
		yield* this.#registry.topics();
		for (const socket of this.#registry.sockets()) yield directChannel(socket.data.socketId);
	}

	// Sending

	publish(topic: string, payload: Payload): Promise<void> {
		if (this.#lifecycle.state !== 'started') return this.#notStarted('publish()');
		if (!isTopic(topic)) return this.#refuse(new InvalidTopicError(topic));
		if (!isPayload(payload)) return this.#refuse(new InvalidPayloadError(payload));
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
	): Promise<void> {
		try {
			const valid = validate(message, data);
			if (!(valid instanceof Promise)) return this.#emitValid(message, topic, valid);
			return quiet(
				valid.then(
					(value) => this.#emitValid(message, topic, value),
					(thrown: unknown) => this.#refuse(toError(thrown)),
				),
			);
		} catch (thrown) {
			return this.#refuse(toError(thrown));
		}
	}

	#emitValid(message: SocketMessage, topic: string, data: unknown): Promise<void> {
		let envelope: string;
		try {
			envelope = encodeEnvelope(message.name, data, topic);
		} catch (cause) {
			return this.#refuse(new InvalidPayloadError(data, { cause }));
		}
		return this.publish(topic, envelope);
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
		if (!this.#nodeMessages.isHeard && state !== 'idle' && state !== 'stopped') {
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
			for (const topic of emptied) this.#others.unlisten(topic);
			this.#others.unlisten(directChannel(socketId), 0);
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
		return this.#listen(topic);
	}

	/** While stopped nothing can be listened to; the next start listens to whatever sockets want by then. */
	#listen(channel: string): Promise<void> {
		if (this.#others === undefined) return DONE;
		if (this.#lifecycle.state === 'stopped') return rejected(new ProviderStoppedError('listening to other nodes'));
		return this.#others.listen(channel);
	}

	unsubscribe(socketId: string, topic: string): Promise<void> {
		if (!isTopic(topic)) return this.#refuse(new InvalidTopicError(topic));
		const socket = this.#registry.get(socketId);
		if (socket !== undefined && socket.data.topics.has(topic)) {
			this.#local.leave(socket, topic);
			if (this.#registry.leave(socket, topic)) this.#others?.unlisten(topic);
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
			this.#registry.leave(socket, channel);
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

const DEFAULT_START_TIMEOUT_MS = 10_000;
const NONE: readonly string[] = [];
const NOTHING_SKIPPED: SkippedFrames = { 'unknown-version': 0, malformed: 0, late: 0 };
