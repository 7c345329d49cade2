import { checkPublish, checkPublishOptions, checkSend, checkTopic, unknownSocket } from './call-checks.ts';
import { InvalidPayloadError, MessageDroppedError, UnknownSocketError } from './errors.ts';
import { contentOf } from './history/framing.ts';
import type { Histories } from './history/histories.ts';
import type { RemoteNodes } from './nodes/remote-nodes.ts';
import { encodeEnvelope, validateToSend } from './protocol/envelope.ts';
import type { InferInput, SocketMessage } from './protocol/message.ts';
import type { PublishOptions, SocketEmitter } from './provider-contract.ts';
import type { LocalFanout } from './sockets/local-fanout.ts';
import type { Registry } from './sockets/registry.ts';
import type { WebSocketConnection } from './sockets/websocket-connection.ts';
import { CallOrder } from './support/call-order.ts';
import type { FailureLog } from './support/failure-log.ts';
import type { Lifecycle } from './support/lifecycle.ts';
import { DONE, rejected, toError } from './support/promises.ts';
import { BROADCAST_CHANNEL, directChannel } from './wire/channel-names.ts';
import { isPayload, type Payload, snapshot } from './wire/payload.ts';

export interface EmitterOptions {
	readonly lifecycle: Lifecycle;
	readonly registry: Registry<WebSocketConnection>;
	readonly local: LocalFanout;
	readonly histories: Histories | undefined;
	/** Undefined if this process is the only node. */
	readonly remote: RemoteNodes | undefined;
	readonly failures: FailureLog;
}

/**
 * Sends messages: immediately to this node's sockets, and over the bus to other nodes. A message to a topic with
 * history is stored first, and the store delivers it to every node.
 */
export class Emitter implements SocketEmitter {
	readonly #lifecycle: Lifecycle;
	readonly #registry: Registry<WebSocketConnection>;
	readonly #local: LocalFanout;
	readonly #histories: Histories | undefined;
	readonly #remote: RemoteNodes | undefined;
	readonly #failures: FailureLog;
	/** Keeps the messages of each topic in order: later messages do not overtake one that is still being validated. */
	readonly #order = new CallOrder<string>();

	constructor({ lifecycle, registry, local, histories, remote, failures }: EmitterOptions) {
		this.#lifecycle = lifecycle;
		this.#registry = registry;
		this.#local = local;
		this.#histories = histories;
		this.#remote = remote;
		this.#failures = failures;
	}

	publish(topic: string, payload: Payload, options?: PublishOptions): Promise<void> {
		const error = this.#lifecycle.check('publish()') ?? checkPublish(topic, payload);
		if (error !== undefined) return this.#failures.refuse(error);
		if (!this.#order.isWaiting(topic)) return this.#publish(topic, payload, false, options);
		const fixed = withOwnExcept(options);
		return this.#failures.watch(
			this.#inOrder(topic, snapshot(payload), (copy) => this.#publish(topic, copy, false, fixed)),
		);
	}

	/** @param isEnvelope whether the payload is an encoded envelope */
	#publish(topic: string, payload: Payload, isEnvelope: boolean, options: PublishOptions | undefined): Promise<void> {
		const histories = this.#histories;
		const bounds = histories?.boundsOf(topic);
		if (options !== undefined) {
			const error = checkPublishOptions(options, topic, bounds !== undefined);
			if (error !== undefined) return this.#failures.refuse(error);
		}
		if (histories !== undefined && bounds !== undefined) {
			const content = isEnvelope ? (payload as string) : contentOf(topic, payload);
			return histories.append(topic, bounds, content, options?.idempotencyKey);
		}
		if (options?.except !== undefined) return this.#publishExcept(topic, payload, options.except, isEnvelope);
		this.#local.toTopic(topic, payload, isEnvelope);
		return this.#remote === undefined ? DONE : this.#remote.publish(topic, payload, isEnvelope);
	}

	/** Publishes to a topic without history. */
	#publishExcept(
		topic: string,
		payload: Payload,
		except: string | readonly string[],
		isEnvelope: boolean,
	): Promise<void> {
		this.#local.toTopicExcept(topic, payload, except, isEnvelope);
		if (this.#remote === undefined) return DONE;
		// A socket of this node is on no other node, so its id need not be sent.
		if (typeof except === 'string' && this.#registry.has(except))
			return this.#remote.publish(topic, payload, isEnvelope);
		const ids = typeof except === 'string' ? [except] : except.filter((socketId) => !this.#registry.has(socketId));
		return ids.length === 0
			? this.#remote.publish(topic, payload, isEnvelope)
			: this.#remote.publishExcept(topic, payload, ids, isEnvelope);
	}

	/** Publishes to all subscribers of a topic except the sender. */
	publishFrom(socketId: string, topic: string, payload: Payload): Promise<void> {
		const error = this.#lifecycle.check('publish()') ?? checkPublish(topic, payload);
		if (error !== undefined) return this.#failures.refuse(error);
		if (!this.#order.isWaiting(topic)) return this.#publishFrom(socketId, topic, payload);
		return this.#failures.watch(
			this.#inOrder(topic, snapshot(payload), (copy) => this.#publishFrom(socketId, topic, copy)),
		);
	}

	#publishFrom(socketId: string, topic: string, payload: Payload): Promise<void> {
		if (!this.#registry.has(socketId)) return this.#failures.refuse(unknownSocket(socketId));
		const histories = this.#histories;
		const bounds = histories?.boundsOf(topic);
		// The sender receives the message too; otherwise it would see a hole in the topic's positions.
		if (histories !== undefined && bounds !== undefined)
			return histories.append(topic, bounds, contentOf(topic, payload));
		return this.#publishExcept(topic, payload, socketId, false);
	}

	send(socketId: string, payload: Payload): Promise<void> {
		return this.#send(socketId, payload, false);
	}

	/** See {@link WebSocketProvider.sendEnvelope}. */
	sendEnvelope(socketId: string, envelope: string): Promise<void> {
		return this.#send(socketId, envelope, true);
	}

	#send(socketId: string, payload: Payload, isEnvelope: boolean): Promise<void> {
		const error = this.#lifecycle.check('send()') ?? checkSend(socketId, payload);
		if (error !== undefined) return this.#failures.refuse(error);
		const socket = this.#registry.get(socketId);
		if (socket !== undefined) {
			return this.#local.toSocket(socket, payload, isEnvelope)
				? DONE
				: this.#failures.refuse(new MessageDroppedError(socketId));
		}
		// Never logged, like those of other nodes: a receiver may leave at any time.
		if (this.#remote === undefined) return rejected(new UnknownSocketError(socketId));
		return this.#remote.publish(directChannel(socketId), payload, isEnvelope);
	}

	broadcast(payload: Payload): Promise<void> {
		return this.#broadcast(payload, false);
	}

	/** See {@link WebSocketProvider.broadcastEnvelope}. */
	broadcastEnvelope(envelope: string): Promise<void> {
		return this.#broadcast(envelope, true);
	}

	#broadcast(payload: Payload, isEnvelope: boolean): Promise<void> {
		const error = this.#lifecycle.check('broadcast()');
		if (error !== undefined) return this.#failures.refuse(error);
		if (!isPayload(payload)) return this.#failures.refuse(new InvalidPayloadError(payload));
		this.#local.toAll(payload, isEnvelope);
		return this.#remote === undefined ? DONE : this.#remote.publish(BROADCAST_CHANNEL, payload, isEnvelope);
	}

	emit<TMessage extends SocketMessage>(
		message: TMessage,
		topic: string,
		data: InferInput<TMessage['data']>,
		options?: PublishOptions,
	): Promise<void> {
		try {
			const valid = validateToSend(message, data);
			if (!(valid instanceof Promise) && !this.#order.isWaiting(topic))
				return this.#emitValid(message, topic, valid, options);
			const checked = valid instanceof Promise ? valid.catch(rethrow) : valid;
			const fixed = withOwnExcept(options);
			return this.#failures.watch(
				this.#inOrder(topic, checked, (value) => this.#emitValid(message, topic, value, fixed)),
			);
		} catch (thrown) {
			return this.#failures.refuse(toError(thrown));
		}
	}

	async #inOrder<TValue>(
		topic: string,
		value: TValue | Promise<TValue>,
		send: (value: TValue) => Promise<void>,
	): Promise<void> {
		await this.#order.run(topic, value, send);
	}

	#emitValid(message: SocketMessage, topic: string, data: unknown, options?: PublishOptions): Promise<void> {
		let envelope: string;
		try {
			envelope = encodeEnvelope(message.name, data, topic);
		} catch (thrown) {
			return this.#failures.refuse(toError(thrown));
		}
		const error = this.#lifecycle.check('publish()') ?? checkTopic(topic);
		if (error !== undefined) return this.#failures.refuse(error);
		return this.#publish(topic, envelope, true, options);
	}
}

/** Copies the array of ids, because the caller may change it while the message waits. */
function withOwnExcept(options: PublishOptions | undefined): PublishOptions | undefined {
	const except = options?.except;
	return Array.isArray(except) ? { ...options, except: except.slice() } : options;
}

function rethrow(thrown: unknown): never {
	throw toError(thrown);
}
