import type { BusHandlers } from '@orijs/websocket';
import type { Redis } from 'ioredis';
import { ServerBeats } from '../beats/server-beats.ts';
import { RedisClusterNodeError, RedisConnectionLostError, RedisReplicaError } from '../errors.ts';
import { receive } from '../wire/receive.ts';
import { endpointOf } from './client-options.ts';
import type { ConnectionSource } from './connection-source.ts';
import { OutageRecovery } from './outage-recovery.ts';
import { PrimaryCheck } from './primary-check.ts';
import type { PubSubCommands } from './pub-sub-commands.ts';
import { PublishCommand } from './publish-command.ts';
import { ServerConnection } from './server-connection.ts';
import { ServerStatus } from './server-status.ts';
import { Subscriptions } from './subscriptions.ts';

export interface RedisServerOptions {
	readonly source: ConnectionSource;
	readonly commands: PubSubCommands;
	/** The prefix of the names of keys; a `:` follows it. */
	readonly keyPrefix: string;
	/** The prefix of the names of channels on Redis. */
	readonly channelPrefix: string;
	/** How long `open` tries to connect, in milliseconds. */
	readonly connectTimeout: number;
	/**
	 * On a cluster, called with the name of the server's view of the topology, which it has told with its reply to a
	 * beat, and a time before the server looked it up, by the monotonic clock.
	 */
	readonly onTopology?: (name: string, at: number) => void;
}

/** Keeps two connections to a server: one for publishing and one for subscribing. Both reconnect until `close`. */
export class RedisServer {
	readonly #options: RedisServerOptions;
	readonly #publisher: ServerConnection;
	readonly #subscriber: ServerConnection;
	readonly #publish: PublishCommand;
	readonly #subscriptions: Subscriptions;
	readonly #status: ServerStatus;
	readonly #primaryCheck: PrimaryCheck;
	readonly #recovery: OutageRecovery;
	readonly beats: ServerBeats;
	/** Aborted by `close`. */
	readonly #ending = new AbortController();

	constructor(options: RedisServerOptions, handlers: BusHandlers) {
		const { source, commands, channelPrefix } = options;
		this.#options = options;
		this.#publisher = new ServerConnection(source);
		this.#publish = new PublishCommand(this.#publisher.client, commands.publish);
		this.#subscriber = new ServerConnection(source);
		this.#subscriptions = new Subscriptions(this.#subscriber, options, handlers);
		this.#status = new ServerStatus(this.client, handlers, this.#ending.signal);
		this.#primaryCheck = new PrimaryCheck({
			publisher: this.#publisher,
			subscriber: this.#subscriber,
			subscriptions: this.#subscriptions,
			status: this.#status,
			source,
			handlers,
			ending: this.#ending.signal,
		});
		this.#recovery = new OutageRecovery({
			publisher: this.#publisher,
			subscriber: this.#subscriber,
			subscriptions: this.#subscriptions,
			status: this.#status,
			primaryCheck: this.#primaryCheck,
			ending: this.#ending.signal,
		});
		this.beats = new ServerBeats({
			publisher: this.#publisher,
			publish: this.#publish,
			commands,
			keyPrefix: options.keyPrefix,
			channelPrefix,
			primaryCheck: this.#primaryCheck,
			handlers,
			onTopology: options.onTopology,
			ending: this.#ending.signal,
		});
		const prefixLength = channelPrefix.length;
		this.#subscriber.client.on(commands.messageEvent, (name: Buffer, frame: Buffer) => {
			receive(handlers, name.toString('latin1', prefixLength), frame);
		});
	}

	get #connections(): readonly ServerConnection[] {
		return [this.#publisher, this.#subscriber];
	}

	get endpoint(): string {
		return endpointOf(this.#publisher.client);
	}

	/** The reason why messages may be lost; undefined while messages get through. */
	get degraded(): string | undefined {
		return this.#status.degraded;
	}

	/** When subscriptions were lost, by the monotonic clock; undefined if no subscription is lost. */
	get lostAt(): number | undefined {
		return this.#subscriptions.lostAt;
	}

	/** See {@link BusLiveness.connection}. */
	get connection(): number | undefined {
		return this.#publisher.isReady ? this.#publisher.number : undefined;
	}

	/** The connection for other commands. It is ready when `degraded` is undefined. */
	get client(): Redis {
		return this.#publisher.client;
	}

	/** The channels that should be subscribed. */
	get channels(): ReadonlySet<string> {
		return this.#subscriptions.channels;
	}

	/** Connects. If that takes too long or the server refuses, rejects and closes the connections. */
	async open(): Promise<void> {
		try {
			await Promise.all(this.#connections.map((connection) => this.#open(connection)));
			this.#ending.signal.throwIfAborted();
		} catch (error) {
			this.close();
			throw error;
		}
		for (const connection of this.#connections) connection.wasReady = true;
		this.#watch();
	}

	async #open(connection: ServerConnection): Promise<void> {
		await connection.open(this.#options.connectTimeout, this.#ending.signal);
		const { isReplica, isClusterNode } = await this.#primaryCheck.identify(connection);
		if (isReplica === true) throw new RedisReplicaError(endpointOf(connection.client));
		// PUBLISH reaches the other nodes, but its reply counts only the receivers on this one.
		if (isClusterNode && this.#options.commands.publish === 'publish')
			throw new RedisClusterNodeError(endpointOf(connection.client));
	}

	/** Connects in the background, however long it takes. */
	openLater(): void {
		this.#subscriptions.notConnectedYet();
		this.#status.notConnectedYet();
		for (const connection of this.#connections) connection.connect();
		this.#watch();
	}

	close(): void {
		this.#primaryCheck.stop();
		const error = this.#down();
		this.#ending.abort(error);
		this.#subscriptions.close(error);
		for (const connection of this.#connections) connection.close();
	}

	#watch(): void {
		this.#recovery.start();
		this.#primaryCheck.start();
	}

	/** See {@link Bus.subscribe}. */
	subscribe(channels: readonly string[]): Promise<void> {
		return this.#subscriptions.subscribe(channels);
	}

	/** See {@link Bus.unsubscribe}. */
	unsubscribe(channels: readonly string[]): Promise<void> {
		return this.#subscriptions.unsubscribe(channels);
	}

	/** See {@link Bus.publish}. */
	publish(channel: string, frame: Uint8Array): Promise<number> {
		if (!this.#publisher.isReady) return Promise.reject(this.#down());
		return this.#publish.publish(this.#options.channelPrefix + channel, frame);
	}

	/** See {@link BusLiveness.reconnect}. */
	reconnect(direction: 'publish' | 'subscribe'): void {
		const connection = direction === 'publish' ? this.#publisher : this.#subscriber;
		// A connection that is still connecting or recovering is left alone.
		if (!connection.isReady || (direction === 'subscribe' && !this.#subscriptions.isComplete)) return;
		this.#status.degrade(DEAD[direction]);
		connection.reset();
	}

	/** See {@link BusLiveness.verifyPrimary}. */
	verifyPrimary(): Promise<void> {
		return this.#primaryCheck.verifyPrimary();
	}

	#down(): RedisConnectionLostError {
		return new RedisConnectionLostError(this.endpoint);
	}
}

const DEAD = {
	publish: 'the publisher connection is dead: heartbeats are not acknowledged',
	subscribe: "the subscriber connection is dead: this node's own heartbeats do not arrive",
} as const;
