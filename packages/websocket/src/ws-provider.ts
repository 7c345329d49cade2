import type { Bus, BusStage, BusStatus } from './bus.ts';
import type { WebSocketConnection } from './connection.ts';
import {
	BusUnavailableError,
	DuplicateSocketError,
	InvalidPayloadError,
	InvalidSocketDataError,
	InvalidSocketIdError,
	InvalidTopicError,
	MessageDroppedError,
	ProviderNotStartedError,
	ProviderStoppedError,
	UnknownSocketError,
} from './errors.ts';
import { decodeFrame, type FrameFault, type Origin, randomOrigin } from './frame.ts';
import { DEFAULT_GRACE_MS, Interest } from './interest.ts';
import { LocalDelivery, type PubSubServer } from './local-delivery.ts';
import { consoleLogger, type Logger } from './logger.ts';
import { BROADCAST_CHANNEL, directChannel, isSocketId, isTopic, socketOfChannel } from './names.ts';
import { type Outcome, Outbox } from './outbox.ts';
import { isPayload, type Payload } from './payload.ts';
import { encodeEnvelope, validate } from './protocol/envelope.ts';
import type { InferInput, SocketMessage } from './protocol/message.ts';
import type { SkippedFrames, WebSocketProvider } from './provider.ts';
import { Registry } from './registry.ts';
import { DONE, quiet, rejected, toError } from './settled.ts';

export interface WsProviderOptions {
	/** Carries messages between nodes. Without one, this process is all there is. */
	readonly bus?: Bus;
	/** Default: the console, quiet at debug. */
	readonly logger?: Logger;
	/** How long a topic that emptied stays subscribed at the backend, in milliseconds. Default 1,000. */
	readonly graceMs?: number;
}

/** Everything a provider is besides its transport; `InProcWsProvider` and the Redis provider only choose the parts. */
export class WsProvider implements WebSocketProvider {
	readonly #bus: Bus | undefined;
	readonly #logger: Logger;
	readonly #origin: Origin = randomOrigin();
	readonly #registry = new Registry<WebSocketConnection>();
	readonly #local = new LocalDelivery(this.#registry);
	readonly #interest: Interest | undefined;
	readonly #outbox: Outbox | undefined;
	readonly #skipped: Record<FrameFault, number> = { 'unknown-version': 0, malformed: 0 };
	#state: 'idle' | 'starting' | 'started' | 'stopped' = 'idle';
	#starting: Promise<void> | undefined;
	#stopping: Promise<void> | undefined;
	#publishFails = false;

	constructor(options: WsProviderOptions = {}) {
		const { bus, logger = consoleLogger, graceMs = DEFAULT_GRACE_MS } = options;
		this.#bus = bus;
		this.#logger = logger;
		if (bus !== undefined) {
			this.#interest = new Interest(bus, {
				graceMs,
				onRefused: (channel, error) => this.#rollBack(channel, error),
				onError: (error) => this.#report(error, 'subscribe'),
			});
			this.#outbox = new Outbox({
				origin: this.#origin,
				send: (channel, frame) => bus.publish(channel, frame),
				verdict: (channel, outcome) => this.#verdict(channel, outcome),
			});
		}
	}

	// Lifecycle

	setServer(server: PubSubServer): void {
		this.#local.setServer(server);
	}

	start(): Promise<void> {
		if (this.#bus === undefined) {
			this.#state = 'started';
			return DONE;
		}
		this.#starting ??= this.#start(this.#bus, this.#interest as Interest);
		return this.#starting;
	}

	async #start(bus: Bus, interest: Interest): Promise<void> {
		try {
			await this.#stopping;
			this.#stopping = undefined;
			this.#state = 'starting';
			await bus.start({
				deliver: (channel, frame) => this.#deliver(channel, frame),
				status: (status) => this.#onStatus(status),
				error: (error, stage) => this.#report(error, stage),
			});
			this.#throwIfStopped();
			const broadcast = interest.acquire(BROADCAST_CHANNEL);
			const rest = [...this.#registry.topics()].map((topic) => interest.acquire(topic));
			for (const socket of this.#registry.sockets()) rest.push(interest.acquire(directChannel(socket.data.socketId)));
			interest.open();
			await broadcast;
			await Promise.allSettled(rest);
			this.#throwIfStopped();
			this.#state = 'started';
		} catch (error) {
			this.#starting = undefined;
			if (this.#state === 'starting') {
				this.#state = 'idle';
				interest.close(toError(error));
				await bus.stop();
			}
			throw error;
		}
	}

	#throwIfStopped(): void {
		if (this.#state !== 'starting') throw new ProviderStoppedError('start()');
	}

	stop(): Promise<void> {
		if (this.#bus === undefined) {
			this.#state = 'stopped';
			return DONE;
		}
		this.#stopping ??= this.#stop(this.#bus);
		return this.#stopping;
	}

	async #stop(bus: Bus): Promise<void> {
		const wasStarted = this.#state === 'started';
		this.#state = 'stopped';
		this.#starting = undefined;
		if (wasStarted) await this.#outbox?.drain();
		this.#interest?.close(new ProviderStoppedError('subscribe()'));
		await bus.stop();
	}

	// Sending

	publish(topic: string, payload: Payload): Promise<void> {
		if (this.#state !== 'started') return this.#notStarted('publish()');
		if (!isTopic(topic)) return this.#refuse(new InvalidTopicError(topic));
		if (!isPayload(payload)) return this.#refuse(new InvalidPayloadError(payload));
		this.#local.toTopic(topic, payload);
		return this.#outbox === undefined ? DONE : this.#outbox.add(topic, payload);
	}

	publishFrom(socketId: string, topic: string, payload: Payload): Promise<void> {
		if (this.#state !== 'started') return this.#notStarted('publish()');
		if (!isTopic(topic)) return this.#refuse(new InvalidTopicError(topic));
		if (!isPayload(payload)) return this.#refuse(new InvalidPayloadError(payload));
		const socket = this.#registry.get(socketId);
		if (socket === undefined) return this.#refuse(new UnknownSocketError(socketId));
		this.#local.toOthers(socket, topic, payload);
		return this.#outbox === undefined ? DONE : this.#outbox.add(topic, payload);
	}

	send(socketId: string, payload: Payload): Promise<void> {
		if (this.#state !== 'started') return this.#notStarted('send()');
		if (!isSocketId(socketId)) return this.#refuse(new InvalidSocketIdError(socketId));
		if (!isPayload(payload)) return this.#refuse(new InvalidPayloadError(payload));
		const socket = this.#registry.get(socketId);
		if (socket !== undefined) {
			return this.#local.toSocket(socket, payload) ? DONE : this.#refuse(new MessageDroppedError(socketId));
		}
		if (this.#outbox === undefined) return rejected(new UnknownSocketError(socketId));
		return this.#outbox.add(directChannel(socketId), payload);
	}

	broadcast(payload: Payload): Promise<void> {
		if (this.#state !== 'started') return this.#notStarted('broadcast()');
		if (!isPayload(payload)) return this.#refuse(new InvalidPayloadError(payload));
		this.#toAllHere(payload);
		return this.#outbox === undefined ? DONE : this.#outbox.add(BROADCAST_CHANNEL, payload);
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
			envelope = encodeEnvelope(message.name, data);
		} catch (cause) {
			return this.#refuse(new InvalidPayloadError(data, { cause }));
		}
		return this.publish(topic, envelope);
	}

	// Connections and topics

	addConnection(socket: WebSocketConnection): Promise<void> {
		const fault = this.#faultOf(socket);
		if (fault !== undefined) return this.#turnAway(socket, fault);
		const { socketId } = socket.data;
		const topics = this.#registry.get(socketId) === undefined ? this.#registry.add(socket) : NONE;
		const reachable = this.#interest === undefined ? DONE : this.#interest.acquire(directChannel(socketId));
		if (topics.length === 0) return reachable;
		const joined = topics.map((topic) => this.subscribe(socketId, topic));
		return quiet(Promise.all([reachable, ...joined]).then(() => {}));
	}

	#faultOf(socket: WebSocketConnection): Error | undefined {
		const data: Partial<WebSocketConnection['data']> | null | undefined = socket.data;
		if (typeof data !== 'object' || data === null) return new InvalidSocketDataError(data);
		if (!isSocketId(data.socketId)) return new InvalidSocketIdError(data.socketId);
		const known = this.#registry.get(data.socketId);
		if (known !== undefined) return known === socket ? undefined : new DuplicateSocketError(data.socketId);
		for (const topic of data.topics ?? []) if (!isTopic(topic)) return new InvalidTopicError(topic);
		return undefined;
	}

	/** Closes a socket that can't be taken in, under an identity of its own, so that its closing can't remove another. */
	#turnAway(socket: WebSocketConnection, fault: Error): Promise<never> {
		socket.data = { socketId: crypto.randomUUID(), data: socket.data?.data, topics: new Set() };
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
		if (this.#interest !== undefined) {
			for (const topic of emptied) this.#interest.release(topic);
			this.#interest.release(directChannel(socketId), 0);
		}
		return true;
	}

	subscribe(socketId: string, topic: string): Promise<void> {
		if (this.#state === 'stopped') return this.#refuse(new ProviderStoppedError('subscribe()'));
		if (!isTopic(topic)) return this.#refuse(new InvalidTopicError(topic));
		const socket = this.#registry.get(socketId);
		if (socket === undefined) return this.#refuse(new UnknownSocketError(socketId));
		if (this.#registry.join(socket, topic) && !this.#local.join(socket, topic)) {
			this.#registry.leave(socket, topic);
			return this.#refuse(new UnknownSocketError(socketId));
		}
		return this.#interest === undefined ? DONE : this.#interest.acquire(topic);
	}

	unsubscribe(socketId: string, topic: string): Promise<void> {
		if (!isTopic(topic)) return this.#refuse(new InvalidTopicError(topic));
		const socket = this.#registry.get(socketId);
		if (socket !== undefined && socket.data.topics.has(topic)) {
			this.#local.leave(socket, topic);
			if (this.#registry.leave(socket, topic)) this.#interest?.release(topic);
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
		return this.#registry.members(topic).size;
	}

	getTopicCount(): number {
		return this.#registry.topicCount;
	}

	getSkippedFrames(): SkippedFrames {
		return { ...this.#skipped };
	}

	// What comes from the bus

	#deliver(channel: string, frame: Uint8Array): void {
		const messages = decodeFrame(frame, this.#origin);
		if (messages === 'echo') return;
		if (typeof messages === 'string') {
			this.#skip(channel, messages);
			return;
		}
		const socketId = socketOfChannel(channel);
		for (const message of messages) {
			if (socketId !== undefined) this.#toSocketHere(socketId, message);
			else if (channel === BROADCAST_CHANNEL) this.#toAllHere(message);
			else this.#local.toTopic(channel, message);
		}
	}

	#toSocketHere(socketId: string, payload: Payload): void {
		const socket = this.#registry.get(socketId);
		if (socket === undefined) this.#logger.debug('A message arrived for a socket that has left', { socketId });
		else if (!this.#local.toSocket(socket, payload)) this.#report(new MessageDroppedError(socketId), 'deliver');
	}

	#toAllHere(payload: Payload): void {
		const dropped = this.#local.toAll(payload);
		if (dropped > 0)
			this.#logger.warn('A broadcast was dropped for sockets that read too slowly', { sockets: dropped });
	}

	#skip(channel: string, fault: FrameFault): void {
		if (this.#skipped[fault]++ > 0) return;
		this.#logger.warn(
			`Frames that can't be read (${fault}) arrive and are skipped; said once, counted in getSkippedFrames()`,
			{
				channel,
			},
		);
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

	#verdict(channel: string, outcome: Outcome): Error | undefined {
		if ('error' in outcome) {
			const error = new BusUnavailableError(channel, { cause: outcome.error });
			if (!this.#publishFails) this.#report(error, 'publish');
			this.#publishFails = true;
			return error;
		}
		this.#publishFails = false;
		const socketId = outcome.nodes === 0 ? socketOfChannel(channel) : undefined;
		return socketId === undefined ? undefined : new UnknownSocketError(socketId);
	}

	// Saying what went wrong

	#onStatus(status: BusStatus): void {
		if (status.state === 'ready') this.#logger.info('Messages pass between nodes');
		else this.#logger.warn(`Messages may not pass between nodes: ${status.reason}`);
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
		return this.#refuse(this.#state === 'stopped' ? new ProviderStoppedError(call) : new ProviderNotStartedError(call));
	}
}

const NONE: readonly string[] = [];
