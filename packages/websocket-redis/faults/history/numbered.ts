import { BusUnavailableError, type WsProvider } from '@orijs/websocket';

/** When one message was published, in milliseconds since the epoch. */
export interface Published {
	readonly triedAt: number;
	readonly acceptedAt: number;
	/** Whether it took more than one try. */
	readonly wasRetried: boolean;
}

const RETRY_MS = 50;
const MOST_TRIES = 400;

/**
 * Publishes 0, 1, 2, … to one topic at a steady rate, each once the one before was accepted. A message that is refused is tried again with
 * the same key, so that it is known of each what became of it.
 */
export class NumberedTopic {
	readonly topic: string;
	readonly published: Published[] = [];
	readonly #provider: WsProvider;
	readonly #everyMs: number;
	readonly #hasKeys: boolean;
	#isOn = false;
	#running: Promise<void> = Promise.resolve();

	/** @param hasKeys false for a topic without history, which has no keys */
	constructor(provider: WsProvider, topic: string, everyMs: number, hasKeys: boolean) {
		this.#provider = provider;
		this.topic = topic;
		this.#everyMs = everyMs;
		this.#hasKeys = hasKeys;
	}

	/** The number of the last message that was accepted; -1 for none. */
	get last(): number {
		return this.published.length - 1;
	}

	start(): void {
		this.#isOn = true;
		this.#running = this.#run();
	}

	/** Resolves when the last one is accepted. @throws what it gave up with */
	async stop(): Promise<void> {
		this.#isOn = false;
		await this.#running;
	}

	async #run(): Promise<void> {
		while (this.#isOn) {
			await this.#next(this.published.length);
			await Bun.sleep(this.#everyMs);
		}
	}

	async #next(n: number): Promise<void> {
		const triedAt = Date.now();
		for (let tries = 1; ; tries++) {
			try {
				await this.#publish(n);
				this.published.push({ triedAt, acceptedAt: Date.now(), wasRetried: tries > 1 });
				return;
			} catch (error) {
				if (!(error instanceof BusUnavailableError) || tries === MOST_TRIES) throw error;
				await Bun.sleep(RETRY_MS);
			}
		}
	}

	#publish(n: number): Promise<void> {
		if (this.#hasKeys) return this.#provider.publish(this.topic, String(n), { idempotencyKey: String(n) });
		const { topic } = this;
		// Text reaches clients of a topic without history as it is, so this is what they understand.
		return this.#provider.publish(topic, JSON.stringify({ name: 'numbered', data: n, timestamp: Date.now(), topic }));
	}
}
