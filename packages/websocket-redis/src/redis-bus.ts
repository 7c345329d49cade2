import type { Bus, BusHandlers } from '@orijs/websocket';
import type { Redis } from 'ioredis';
import { RedisConnectionLostError } from './errors.ts';
import { PublishBatch } from './publish-batch.ts';
import { connect, createClient, endpointOf, isRefusal, type RedisConnection } from './redis-client.ts';

export interface RedisBusOptions {
	readonly connection: RedisConnection;
	/** Channels are `{keyPrefix}:{topic}`. */
	readonly keyPrefix: string;
	/** In milliseconds. */
	readonly connectTimeout: number;
}

/** How many channels one SUBSCRIBE or UNSUBSCRIBE names. */
const CHANNELS_PER_COMMAND = 1_000;

/** Carries frames over Redis publish/subscribe: one connection to publish, one to subscribe. */
export class RedisBus implements Bus {
	readonly #options: RedisBusOptions;
	/** What should be subscribed, whatever the connection is doing. */
	readonly #topics = new Set<string>();
	#session: Session | undefined;

	constructor(options: RedisBusOptions) {
		this.#options = options;
		// Bad options are to be heard of where they were written, not at start.
		createClient(options.connection, options.connectTimeout).disconnect();
	}

	async start(handlers: BusHandlers): Promise<void> {
		const { connection, connectTimeout, keyPrefix } = this.#options;
		const publisher = createClient(connection, connectTimeout);
		const subscriber = createClient(connection, connectTimeout);
		const ending = new AbortController();
		const session: Session = {
			publisher,
			subscriber,
			handlers,
			ending,
			batch: undefined,
			recovery: undefined,
			degraded: false,
		};
		this.#session = session;
		// ioredis prints errors nobody listens to; 'close' says what matters, and `connect` names the cause.
		for (const client of [publisher, subscriber]) client.on('error', ignore);
		const prefixLength = keyPrefix.length + 1;
		subscriber.on('messageBuffer', (channel: Buffer, frame: Buffer) => {
			handlers.deliver(channel.toString('latin1', prefixLength), frame);
		});
		try {
			await Promise.all([publisher, subscriber].map((client) => connect(client, connectTimeout, ending.signal)));
		} catch (error) {
			this.#disconnect(session);
			throw error;
		}
		for (const client of [publisher, subscriber]) {
			client.on('close', () => this.#lost(session));
			client.on('ready', () => void this.#recover(session));
		}
		handlers.status({ state: 'ready' });
	}

	async stop(): Promise<void> {
		const session = this.#session;
		this.#session = undefined;
		this.#topics.clear();
		if (session !== undefined) this.#disconnect(session);
	}

	async subscribe(topics: readonly string[]): Promise<void> {
		const session = this.#session;
		if (session === undefined) throw this.#down();
		for (const topic of topics) this.#topics.add(topic);
		if (session.subscriber.status !== 'ready') return recovery(session);
		try {
			await this.#sendSubscribe(session, topics);
		} catch (error) {
			// Everything wanted is asked for again once the connection is back.
			if (!isRefusal(error)) return recovery(session);
			for (const topic of topics) this.#topics.delete(topic);
			throw error;
		}
	}

	async unsubscribe(topics: readonly string[]): Promise<void> {
		for (const topic of topics) this.#topics.delete(topic);
		const subscriber = this.#session?.subscriber;
		if (subscriber?.status !== 'ready') return;
		try {
			await Promise.all(this.#commands(topics).map((channels) => subscriber.unsubscribe(...channels)));
		} catch (error) {
			// A lost connection has ended every subscription.
			if (isRefusal(error)) throw error;
		}
	}

	publish(topic: string, frame: Uint8Array): Promise<number> {
		const session = this.#session;
		if (session === undefined || session.publisher.status !== 'ready') return Promise.reject(this.#down());
		return this.#batch(session).add(this.#channel(topic), frame);
	}

	/** The commands of this turn of the event loop. */
	#batch(session: Session): PublishBatch {
		if (session.batch === undefined) {
			const batch = new PublishBatch(session.publisher.pipeline());
			session.batch = batch;
			queueMicrotask(() => {
				session.batch = undefined;
				void batch.send();
			});
		}
		return session.batch;
	}

	#channel(topic: string): string {
		return `${this.#options.keyPrefix}:${topic}`;
	}

	#commands(topics: readonly string[]): string[][] {
		const commands: string[][] = [];
		for (let i = 0; i < topics.length; i += CHANNELS_PER_COMMAND) {
			commands.push(topics.slice(i, i + CHANNELS_PER_COMMAND).map((topic) => this.#channel(topic)));
		}
		return commands;
	}

	async #sendSubscribe({ subscriber }: Session, topics: readonly string[]): Promise<void> {
		await Promise.all(this.#commands(topics).map((channels) => subscriber.subscribe(...channels)));
	}

	#lost(session: Session): void {
		if (session.degraded || session !== this.#session) return;
		session.degraded = true;
		session.handlers.status({ state: 'degraded', reason: this.#down().message });
	}

	async #recover(session: Session): Promise<void> {
		const { publisher, subscriber, handlers } = session;
		const isBack = (): boolean =>
			this.#session === session && publisher.status === 'ready' && subscriber.status === 'ready';
		if (!isBack()) return;
		try {
			await this.#sendSubscribe(session, [...this.#topics]);
		} catch (error) {
			if (!isBack()) return;
			handlers.error(error as Error, 'subscribe');
		}
		if (!isBack()) return;
		session.degraded = false;
		session.recovery?.resolve();
		session.recovery = undefined;
		handlers.status({ state: 'ready' });
	}

	#disconnect({ publisher, subscriber, ending, recovery: pending }: Session): void {
		ending.abort(this.#down());
		pending?.reject(this.#down());
		for (const client of [publisher, subscriber]) {
			client.removeAllListeners().on('error', ignore);
			client.disconnect();
		}
	}

	#down(): RedisConnectionLostError {
		return new RedisConnectionLostError(
			this.#session === undefined ? 'no server, as the bus is stopped' : endpointOf(this.#session.publisher),
		);
	}
}

/** What one start opened. */
interface Session {
	readonly publisher: Redis;
	readonly subscriber: Redis;
	readonly handlers: BusHandlers;
	/** Aborted when this session ends. */
	readonly ending: AbortController;
	batch: PublishBatch | undefined;
	/** Settles when everything wanted is subscribed again. */
	recovery: PromiseWithResolvers<void> | undefined;
	degraded: boolean;
}

function recovery(session: Session): Promise<void> {
	session.recovery ??= Promise.withResolvers<void>();
	return session.recovery.promise;
}

function ignore(): void {}
