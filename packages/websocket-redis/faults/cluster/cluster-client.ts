import { SocketClient } from '../../../websocket-client/src/index.ts';
import { ownTopicOf, userOf } from './population.ts';

/** How soon a client that was told to stay away connects all the same, in milliseconds: as a new page would. */
const BACK_AFTER_MS = 500;

/** The end of a connection, as its client has seen it. */
export interface SeenEnd {
	readonly code: number;
	readonly reason: string;
	/** Whether the client stopped reconnecting. */
	readonly isFinal: boolean;
}

/** A client that comes back whatever happens, and knows how each of its connections ended. */
export class ClusterClient {
	readonly user: string;
	/** How its connections ended, by their ids. */
	readonly ends: Map<string, SeenEnd> = new Map();
	readonly client: SocketClient;
	#socketId = '';
	#isLeaving = false;

	constructor(index: number, url: string) {
		this.user = userOf(index);
		this.client = new SocketClient(url, {
			reconnect: { minDelayMs: 50, maxDelayMs: 300 },
			connectTimeoutMs: 3_000,
			heartbeat: { intervalMs: 2_000, timeoutMs: 3_000 },
		});
		this.client.onError(() => {});
		this.client.onStateChange((state, { end, previous }) => {
			if (state === 'ready') this.#socketId = this.client.socketId ?? '';
			if (end !== undefined && previous === 'ready')
				this.ends.set(this.#socketId, { ...end, isFinal: state === 'closed' });
			if (state === 'closed' && !this.#isLeaving) setTimeout(() => this.#connect(), BACK_AFTER_MS);
		});
		// The server may refuse it, or take it away.
		this.client.subscribe(ownTopicOf(index)).catch(() => {});
		this.#connect();
	}

	get socketId(): string | undefined {
		return this.client.socketId;
	}

	/** The topics that it knows to be in. */
	get topics(): string[] {
		return this.client.topics.map(({ topic }) => topic);
	}

	/** Leaves, and comes back soon with another connection. */
	async leave(): Promise<void> {
		await this.client.close();
	}

	close(): Promise<void> {
		this.#isLeaving = true;
		return this.client.close();
	}

	#connect(): void {
		if (!this.#isLeaving) this.client.connect().catch(() => {});
	}
}
