import {
	type PresenceHandle,
	SocketClient,
	SocketRequestError,
	type Subscription,
} from '../../../websocket-client/src/index.ts';
import type { Journal } from '../record/journal.ts';
import { trueNow } from '../record/true-time.ts';
import { isGiven, keepsPresence } from '../settings.ts';
import { isNumbered, type Numbered, NumberedMessage } from '../numbered.ts';
import type { Pending } from './pending.ts';
import type { ClientEntry, ClientEvent } from './protocol.ts';

/** A subscription that was asked for and not given up. */
interface Current {
	readonly id: number;
	readonly confirmed: Promise<Subscription>;
}

/** A client that writes down everything that happens to it. */
export class RecordingClient {
	readonly name: string;
	readonly #client: SocketClient;
	readonly #journal: Journal<ClientEntry>;
	readonly #pending: Pending;
	readonly #current = new Map<string, Current>();
	/** Topics of which messages may still arrive, as the server has not confirmed the end of a subscription. */
	readonly #ending = new Map<string, number>();
	/** The numbers of what arrived last, by process and channel: `a1 plain:0`. */
	readonly #last = new Map<string, number>();
	/** The subscriptions that the server has decided, by topic. */
	readonly #given = new Map<string, number>();
	/** The topics whose members it watches. */
	readonly #watched = new Map<string, PresenceHandle>();
	/** Those of which the client was told. */
	readonly #told = new Set<string>();
	#lastId = 0;

	constructor(name: string, url: string, journal: Journal<ClientEntry>, pending: Pending) {
		this.name = name;
		this.#journal = journal;
		this.#pending = pending;
		this.#client = new SocketClient(url, {
			reconnect: { minDelayMs: 50, maxDelayMs: 500 },
			connectTimeoutMs: 3_000,
			heartbeat: { intervalMs: 1_000, timeoutMs: 2_000 },
		});
		this.#client.onStateChange((state, { previous, end }) => {
			if (state === 'ready') this.#add({ do: 'ready', socketId: this.#client.socketId ?? '' });
			else if (previous === 'ready') {
				this.#add({ do: 'lost', why: end === undefined ? 'closed' : `${end.code} ${end.reason}` });
			}
		});
		this.#client.onGap(({ topic, since, until }) => this.#add({ do: 'gap', topic, since, until }));
		this.#client.onError((error, stage) => this.#add({ do: 'error', stage, message: String(error) }));
		this.#client.onTopicsChange(({ topic, type, by, code, message }) => {
			if (isGiven(topic) && code !== undefined && code !== 'disconnected')
				this.#add({ do: 'failure', what: `the server has ended ${topic}: ${code}, ${message}` });
			// The server subscribes each connection. For the client, that is one subscription.
			if (type !== 'subscribed' || by === 'client' || this.#told.has(topic)) return;
			this.#told.add(topic);
			this.#add({ do: 'subscribed', id: this.#givenId(topic) });
		});
		this.#client.onRecovered(({ topic, recovered, count }) => {
			if (isGiven(topic)) this.#add({ do: 'recovered', channel: topic, recovered, count });
		});
		this.#client.on(NumberedMessage, (data, { topic, position }) => {
			// What a subscription gets is written down by its listener.
			if (topic === undefined) this.#received(data);
			else if (isGiven(topic)) this.#received(data, this.#givenId(topic), position);
			else if (!this.#current.has(topic) && !this.#ending.has(topic)) this.#received(data);
		});
	}

	/** Returns the subscription that stands for a topic of the server. Messages may come before the client is told. */
	#givenId(topic: string): number {
		let id = this.#given.get(topic);
		if (id === undefined) {
			this.#given.set(topic, (id = ++this.#lastId));
			this.#add({ do: 'subscribe', id, channel: topic });
		}
		return id;
	}

	get socketId(): string | undefined {
		return this.#client.socketId;
	}

	get topics(): string[] {
		return [...this.#current.keys()];
	}

	connect(): Promise<void> {
		return this.#pending.watch(`${this.name}.connect()`, this.#client.connect());
	}

	/** Resolves when it is confirmed, or refused because the topic can't be read. Does nothing if it is subscribed. */
	async subscribe(topic: string): Promise<void> {
		if (this.#current.has(topic)) return;
		const id = ++this.#lastId;
		this.#add({ do: 'subscribe', id, channel: topic });
		const confirmed = this.#client.subscribe(topic, {
			onMessage: (data, { position }) => this.#received(data, id, position),
			onRecovered: ({ recovered, count }) => this.#add({ do: 'recovered', channel: topic, recovered, count }),
			onRefused: (error) => {
				// What can't be read at first is refused below.
				if (error.code !== 'unavailable') this.#add({ do: 'failure', what: `${topic} was refused: ${String(error)}` });
			},
		});
		this.#current.set(topic, { id, confirmed: this.#pending.watch(`${this.name}.subscribe(${topic})`, confirmed) });
		try {
			await confirmed;
		} catch (error) {
			if (!(error instanceof SocketRequestError) || error.code !== 'unavailable') throw error;
			if (this.#current.get(topic)?.id === id) this.#current.delete(topic);
			return;
		}
		this.#add({ do: 'subscribed', id });
		if (keepsPresence(topic) && this.#current.get(topic)?.id === id) this.#watch(topic);
	}

	#watch(topic: string): void {
		if (this.#watched.has(topic)) return;
		const handle = this.#client.presence(topic, {
			onChange: ({ members, isStale }) => {
				if (!isStale) this.#add({ do: 'members', topic, keys: members.map(({ key }) => key) });
			},
		});
		this.#watched.set(topic, handle);
	}

	/** Resolves when it is over. Nothing happens if it is not subscribed. */
	async unsubscribe(topic: string): Promise<void> {
		const current = this.#current.get(topic);
		if (current === undefined) return;
		const subscription = await current.confirmed.catch(() => undefined);
		// It may have been given up meanwhile, or refused.
		if (subscription === undefined || this.#current.get(topic) !== current) return;
		this.#current.delete(topic);
		this.#unwatch(topic);
		this.#ending.set(topic, (this.#ending.get(topic) ?? 0) + 1);
		this.#add({ do: 'unsubscribe', id: current.id });
		await this.#pending.watch(`${this.name}: close() of ${topic}`, subscription.close());
		this.#add({ do: 'unsubscribed', id: current.id });
		const left = (this.#ending.get(topic) ?? 1) - 1;
		if (left === 0) this.#ending.delete(topic);
		else this.#ending.set(topic, left);
	}

	#unwatch(topic: string): void {
		const handle = this.#watched.get(topic);
		if (handle === undefined) return;
		this.#watched.delete(topic);
		this.#add({ do: 'unwatched', topic });
		handle.close();
	}

	async close(): Promise<void> {
		for (const topic of this.#watched.keys()) this.#unwatch(topic);
		this.#add({ do: 'closing' });
		await this.#pending.watch(`${this.name}.close()`, this.#client.close());
		this.#add({ do: 'closed' });
	}

	/** Which of these last messages have not arrived. @param rounds by process, its numbers by channel */
	missing(rounds: ReadonlyMap<string, ReadonlyMap<string, number>>): string[] {
		const missing: string[] = [];
		for (const [by, numbers] of rounds) {
			for (const channel of [...this.topics, ...this.#given.keys(), '*']) {
				const n = numbers.get(channel) ?? -1;
				if ((this.#last.get(`${by} ${channel}`) ?? -1) < n) missing.push(`${n} of ${by} on ${channel} to ${this.name}`);
			}
		}
		return missing;
	}

	#received(
		data: unknown,
		subscription?: number,
		position?: { readonly epoch: string; readonly offset: number },
	): void {
		if (!isNumbered(data)) {
			this.#add({ do: 'failure', what: `an unknown message arrived: ${JSON.stringify(data)}` });
			return;
		}
		const { by, channel, n }: Numbered = data;
		const at = position === undefined ? undefined : { epoch: position.epoch, offset: position.offset };
		this.#add({ do: 'delivery', channel, by, n, subscription, position: at });
		this.#last.set(`${by} ${channel}`, n);
	}

	#add(event: ClientEvent): void {
		this.#journal.add({ client: this.name, at: trueNow(), ...event });
	}
}
