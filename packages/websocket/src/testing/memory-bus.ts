import type { BeatStore, Bus, BusHandlers, BusLiveness, StoredBeat } from '../bus.ts';
import type { HistorySlice, HistoryStore } from '../history/history-store.ts';
import type { PresenceStore } from '../presence/presence-store.ts';
import { quiet } from '../support/promises.ts';
import { MemoryBeats } from './memory-beats.ts';
import { MemoryBusPresence } from './memory-bus-presence.ts';

/** Holds the state that the buses of one backend share. */
export class MemoryNetwork {
	/** The buses that are started. */
	readonly buses: Set<MemoryBus> = new Set();
	readonly history: HistoryStore;
	readonly presence: PresenceStore;
	readonly beats: MemoryBeats = new MemoryBeats();
	/** How many times the backend has lost what it knew of presence. */
	presenceLosses = 0;

	constructor(history: HistoryStore, presence: PresenceStore) {
		this.history = history;
		this.presence = presence;
	}

	/** Tells the buses that the backend has lost what it knew of presence. */
	presenceLost(): void {
		this.presenceLosses++;
		for (const bus of this.buses) bus.presenceLost();
	}

	subscribersOf(channel: string): MemoryBus[] {
		return [...this.buses].filter((bus) => bus.receives(channel));
	}
}

/** The time from `start` to `stop` of one bus. */
interface Session {
	readonly handlers: BusHandlers;
	/**
	 * When the bus lost its subscriptions at the backend, in milliseconds since the epoch; undefined while it has them.
	 */
	lostAt: number | undefined;
	/** Resolves when everything is subscribed again. Rejects when the session ends. */
	recovery: PromiseWithResolvers<void> | undefined;
	/** Pending while a frozen link withholds the backend's answers. Rejects when that link is dropped. */
	answer: PromiseWithResolvers<never> | undefined;
}

const HEARTBEAT_CHANNELS: readonly string[] = ['!'];

/** Carries frames inside this process, over a link to its backend that can be cut, restored and frozen. */
export class MemoryBus implements Bus {
	readonly liveness?: BusLiveness;
	readonly history: HistoryStore;
	readonly presence: PresenceStore;
	readonly #presence: MemoryBusPresence;
	readonly #network: MemoryNetwork;
	readonly #channels = new Set<string>();
	#link: 'up' | 'cut' | 'frozen' = 'up';
	#session: Session | undefined;
	/** The number of the current connection. Requests that were sent on an earlier one get no answer. */
	#connection = 0;

	/** What this node says of itself. */
	#description: string | undefined;

	constructor(network: MemoryNetwork, hasLiveness: boolean, collectsBeats: boolean) {
		this.#network = network;
		this.history = this.#createHistory(network.history);
		this.#presence = new MemoryBusPresence({
			store: network.presence,
			losses: () => network.presenceLosses,
			mustBeReachable: () => this.#mustBeReachable(),
			isUp: () => this.#link === 'up',
			answered: () => this.#answered(),
		});
		this.presence = this.#presence;
		if (!hasLiveness) return;
		this.liveness = {
			heartbeatChannels: () => HEARTBEAT_CHANNELS,
			shardOf: () => 0,
			isInterrupted: () => this.#session?.lostAt !== undefined,
			reconnect: () => this.#reconnect(),
			verifyPrimary: async () => {},
			...(collectsBeats && { beats: this.#createBeats(network.beats) }),
		};
	}

	async start(handlers: BusHandlers): Promise<void> {
		const session: Session = { handlers, lostAt: undefined, recovery: undefined, answer: undefined };
		this.#session = session;
		await nextTick();
		if (this.#session !== session) throw stopped();
		if (this.#link !== 'up') {
			this.#session = undefined;
			throw unreachable();
		}
		this.#network.buses.add(this);
		this.#presence.noticeLoss();
		handlers.status({ state: 'ready' });
	}

	async stop(): Promise<void> {
		this.#network.buses.delete(this);
		const session = this.#session;
		this.#session = undefined;
		this.#channels.clear();
		session?.recovery?.reject(stopped());
		session?.answer?.reject(stopped());
		await nextTick();
	}

	// `subscribe` and `unsubscribe` take effect in the order of the calls, but resolve later, as over a real connection.
	async subscribe(channels: readonly string[]): Promise<void> {
		const session = this.#running();
		for (const channel of channels) this.#channels.add(channel);
		await nextTick();
		while (this.#link !== 'up' || session.lostAt !== undefined) {
			if (session !== this.#session) break;
			session.recovery ??= withQuietResolvers();
			await session.recovery.promise;
		}
		if (session !== this.#session) throw stopped();
	}

	async unsubscribe(channels: readonly string[]): Promise<void> {
		for (const channel of channels) this.#channels.delete(channel);
		await nextTick();
	}

	async publish(channel: string, frame: Uint8Array): Promise<number> {
		const at = Date.now();
		const copy = frame.slice();
		this.#mustBeReachable();
		const receivers = this.#network.subscribersOf(channel);
		await this.#answered();
		for (const bus of receivers) bus.#deliver(channel, copy.slice(), at);
		return receivers.length;
	}

	/** Returns whether the backend passes frames of this channel on to this bus. */
	receives(channel: string): boolean {
		return this.#session?.lostAt === undefined && this.#channels.has(channel);
	}

	/** @param at when the messages were appended, in milliseconds since the epoch */
	appended(topic: string, slice: HistorySlice, at: number): void {
		if (this.#arrives(topic, at)) this.#session?.handlers.appended(topic, slice);
	}

	/**
	 * Called when the backend has published a frame by itself.
	 *
	 * @param at when, in milliseconds since the epoch
	 */
	published(channel: string, frame: Uint8Array, at: number): void {
		this.#deliver(channel, frame, at);
	}

	/** Called when the backend has lost what it knew of presence. While it is unreachable, that is noticed later. */
	presenceLost(): void {
		if (this.#link === 'up' && this.#session?.lostAt === undefined) setImmediate(() => this.#presence.noticeLoss());
	}

	#deliver(channel: string, frame: Uint8Array, at: number): void {
		if (this.#arrives(channel, at)) this.#session?.handlers.deliver(channel, frame);
	}

	/**
	 * Returns whether a message that was sent at that time arrives. If it was in flight when the link broke, moves the
	 * start of the interruption back to that time.
	 */
	#arrives(channel: string, at: number): boolean {
		const session = this.#session;
		if (session === undefined || this.#link === 'frozen' || !this.#channels.has(channel)) return false;
		if (session.lostAt === undefined) return true;
		session.lostAt = Math.min(session.lostAt, at);
		return false;
	}

	// The link

	cut(): void {
		this.#link = 'cut';
		this.#drop('the link is cut');
	}

	restore(): void {
		this.#link = 'up';
		this.#recoverLater();
	}

	freeze(): void {
		this.#link = 'frozen';
	}

	/** Replaces a link that was found dead. A link that is cut can't be replaced. */
	#reconnect(): void {
		if (this.#link === 'cut') return;
		this.#link = 'up';
		this.#drop('the link was found dead');
		this.#recoverLater();
	}

	#drop(reason: string): void {
		const session = this.#session;
		this.#connection++;
		if (session === undefined) return;
		session.answer?.reject(unreachable());
		session.answer = undefined;
		if (session.lostAt !== undefined) return;
		session.lostAt = Date.now();
		session.handlers.status({ state: 'degraded', reason });
	}

	#recoverLater(): void {
		const session = this.#session;
		setImmediate(() => {
			if (session === undefined || session !== this.#session || this.#link !== 'up') return;
			const { handlers, lostAt, recovery } = session;
			session.lostAt = undefined;
			session.recovery = undefined;
			if (lostAt !== undefined) handlers.interrupted([...this.#channels], lostAt, 'the link was down');
			this.#presence.noticeLoss();
			recovery?.resolve();
			if (lostAt !== undefined) handlers.status({ state: 'ready' });
		});
	}

	// Requests

	#running(): Session {
		const session = this.#session;
		if (session === undefined || !this.#network.buses.has(this)) {
			throw new Error('the memory bus is not started');
		}
		return session;
	}

	#mustBeReachable(): void {
		this.#running();
		if (this.#link === 'cut') throw unreachable();
	}

	/** Resolves when the backend has received a request and answered. Rejects if the link breaks before that. */
	async #answered(): Promise<void> {
		const session = this.#running();
		const connection = this.#connection;
		await nextTick();
		if (session !== this.#session) throw stopped();
		if (connection !== this.#connection) throw unreachable();
		if (this.#link === 'frozen') {
			session.answer ??= withQuietResolvers();
			await session.answer.promise;
		}
	}

	#createBeats(store: MemoryBeats): BeatStore {
		const step = async (heartbeatChannel: string, beat: StoredBeat, record: () => Uint8Array[]): Promise<void> => {
			const at = Date.now();
			const frame = beat.frame.slice();
			this.#mustBeReachable();
			await this.#answered();
			const send = (channel: string, each: Uint8Array): void => {
				for (const bus of this.#network.subscribersOf(channel)) bus.#deliver(channel, each.slice(), at);
			};
			for (const digest of record()) send(heartbeatChannel, digest);
			send(beat.channel, frame);
		};
		return {
			ownChannel: (heartbeatChannel, origin) => `${heartbeatChannel}${origin.toString(36)}`,
			beat: (channel, beat) => step(channel, beat, () => store.record(beat, this.#description, performance.now())),
			remove: (channel, last) => step(channel, last, () => store.remove(last, performance.now())),
			list: async () => {
				this.#mustBeReachable();
				await this.#answered();
				return store.list(performance.now());
			},
			describe: (text) => void (this.#description = text),
		};
	}

	#createHistory(store: HistoryStore): HistoryStore {
		return {
			prepare: async () => this.#mustBeReachable(),
			append: async (...call) => {
				this.#mustBeReachable();
				const [topic, , { ttlMs }] = call;
				// Reading removes what exceeds the bounds, and a repeated append may have other bounds than the first.
				const unbounded = { size: Infinity, bytes: Infinity, ttlMs };
				// One after the other, with no turn of the event loop in between.
				const before = store.read(topic, { limit: 0 }, unbounded);
				if (this.#link === 'up') void store.append(...call);
				const after = store.read(topic, { limit: 0 }, unbounded);
				// The append has already scheduled the delivery to the nodes, so messages arrive before this answer.
				await this.#answered();
				const [{ last }, { epoch, last: offset }] = await Promise.all([before, after]);
				return offset === last ? undefined : { epoch, offset };
			},
			read: async (...call) => {
				this.#mustBeReachable();
				const slice = await store.read(...call);
				await this.#answered();
				return slice;
			},
		};
	}
}

/** Creates a promise that does not count as an unhandled rejection if it rejects without being awaited. */
function withQuietResolvers<T>(): PromiseWithResolvers<T> {
	const resolvers = Promise.withResolvers<T>();
	void quiet(resolvers.promise);
	return resolvers;
}

function stopped(): Error {
	return new Error('the memory bus was stopped');
}

function unreachable(): Error {
	return new Error('the memory backend is unreachable');
}

function nextTick(): Promise<void> {
	return new Promise((resolve) => setImmediate(resolve));
}
