import type { BusHandlers } from '@orijs/websocket';
import { wallTime } from '@orijs/websocket/internal';
import { isRefusal } from './client-options.ts';
import type { PubSubCommands } from './pub-sub-commands.ts';
import type { ServerConnection } from './server-connection.ts';

export interface SubscriptionsOptions {
	readonly commands: PubSubCommands;
	/** The prefix of the names of channels on Redis. */
	readonly channelPrefix: string;
}

/**
 * Keeps channels subscribed on a server. Channels that are added while the connection is down are subscribed once it is
 * back, along with all others.
 */
export class Subscriptions {
	readonly #connection: ServerConnection;
	readonly #options: SubscriptionsOptions;
	readonly #handlers: Pick<BusHandlers, 'interrupted' | 'refused'>;
	readonly #channels = new Set<string>();
	/** The channels that Redis refused when all channels were last resubscribed. */
	readonly #refusals = new Map<string, Error>();
	#isComplete = true;
	#lostAt: number | undefined;
	/** Settles when all channels are subscribed. */
	#recovery: PromiseWithResolvers<void> | undefined;
	#closed: Error | undefined;

	constructor(
		connection: ServerConnection,
		options: SubscriptionsOptions,
		handlers: Pick<BusHandlers, 'interrupted' | 'refused'>,
	) {
		this.#connection = connection;
		this.#options = options;
		this.#handlers = handlers;
	}

	get channels(): ReadonlySet<string> {
		return this.#channels;
	}

	/** Whether every channel that should be subscribed is subscribed. */
	get isComplete(): boolean {
		return this.#isComplete;
	}

	/** When subscriptions were lost, by the monotonic clock; undefined if no subscription is lost. */
	get lostAt(): number | undefined {
		return this.#lostAt;
	}

	/** See {@link Bus.subscribe}. */
	async subscribe(channels: readonly string[]): Promise<void> {
		for (const channel of channels) {
			this.#channels.add(channel);
			this.#refusals.delete(channel);
		}
		if (!this.#connection.isReady) return this.#recoveredWith(channels);
		try {
			await this.#sendSubscribe(channels);
		} catch (error) {
			// Every channel is resubscribed once the connection is back.
			if (!isRefusal(error)) return this.#recoveredWith(channels);
			for (const channel of channels) this.#channels.delete(channel);
			throw error;
		}
		if (!this.#isComplete) await this.#recoveredWith(channels);
	}

	/** See {@link Bus.unsubscribe}. */
	async unsubscribe(channels: readonly string[]): Promise<void> {
		for (const channel of channels) this.#channels.delete(channel);
		const { client, isReady } = this.#connection;
		if (!isReady) return;
		const { commands } = this.#options;
		try {
			await Promise.all(this.#groups(channels).map((group) => commands.unsubscribe(client, group)));
		} catch (error) {
			// If the connection was lost, the subscriptions are gone anyway.
			if (isRefusal(error)) throw error;
		}
	}

	/** Called before the first connection: nothing is subscribed yet, but nothing was lost either. */
	notConnectedYet(): void {
		this.#isComplete = false;
	}

	/** Called when the connection was lost, and every subscription with it. */
	lost(): void {
		if (this.#isComplete) this.#lostAt ??= performance.now();
		this.#isComplete = false;
	}

	/** Called when the connection may have led to the wrong server since `at`, by the monotonic clock. */
	unverifiedSince(at: number): void {
		if (this.#isComplete) this.#lostAt = at;
		else if (this.#lostAt !== undefined) this.#lostAt = Math.min(this.#lostAt, at);
		this.#isComplete = false;
	}

	/** Resubscribes all channels. Reports and forgets those that Redis refuses. Rejects if the connection fails. */
	async subscribeAll(): Promise<void> {
		this.#refusals.clear();
		await this.#subscribeOrForget([...this.#channels]);
	}

	async #subscribeOrForget(channels: readonly string[]): Promise<void> {
		try {
			await this.#sendSubscribe(channels);
		} catch (error) {
			if (!isRefusal(error)) throw error;
			if (channels.length > 1) {
				await Promise.all(channels.map((channel) => this.#subscribeOrForget([channel])));
				return;
			}
			for (const channel of channels) {
				this.#channels.delete(channel);
				this.#refusals.set(channel, error);
				this.#handlers.refused(channel, wallTime(this.#lostAt ?? performance.now()), error);
			}
		}
	}

	/**
	 * Called when all channels are resubscribed. Reports the interruption, and resolves the promises that waited for its
	 * end.
	 */
	recovered(reason: string): void {
		const lostAt = this.#lostAt;
		this.#isComplete = true;
		this.#lostAt = undefined;
		if (lostAt !== undefined) this.#handlers.interrupted([...this.#channels], wallTime(lostAt), reason);
		this.#recovery?.resolve();
		this.#recovery = undefined;
	}

	close(error: Error): void {
		this.#closed = error;
		this.#recovery?.reject(error);
	}

	/** Resolves when all channels are resubscribed. Rejects if Redis refuses one of the given channels. */
	async #recoveredWith(channels: readonly string[]): Promise<void> {
		await this.#untilRecovered();
		for (const channel of channels) {
			const refusal = this.#refusals.get(channel);
			if (refusal !== undefined) throw refusal;
		}
	}

	#untilRecovered(): Promise<void> {
		if (this.#closed !== undefined) return Promise.reject(this.#closed);
		this.#recovery ??= Promise.withResolvers<void>();
		return this.#recovery.promise;
	}

	async #sendSubscribe(channels: readonly string[]): Promise<void> {
		const { commands } = this.#options;
		const { client } = this.#connection;
		await Promise.all(this.#groups(channels).map((group) => commands.subscribe(client, group)));
	}

	#groups(channels: readonly string[]): readonly (readonly string[])[] {
		const { commands, channelPrefix } = this.#options;
		return commands.group(channels.map((channel) => channelPrefix + channel));
	}
}
