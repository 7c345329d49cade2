import { BusUnavailableError, type WsProvider } from '@orijs/websocket';

/** When a message was published, in milliseconds since the epoch. */
export interface Published {
	readonly triedAt: number;
	readonly acceptedAt: number;
	/** Whether it took more than one attempt to publish the message. */
	readonly wasRetried: boolean;
}

const RETRY_MS = 50;
const MAX_ATTEMPTS = 400;

/**
 * Publishes 0, 1, 2, … to one topic at a steady rate, each number only after the previous one has been accepted. A
 * rejected message is retried with the same key until it is accepted.
 */
export class NumberedTopic {
	readonly topic: string;
	readonly published: Published[] = [];
	readonly #provider: WsProvider;
	readonly #everyMs: number;
	readonly #hasKeys: boolean;
	#isOn = false;
	#running: Promise<void> = Promise.resolve();

	/** @param hasKeys whether to publish with idempotency keys, which only topics with history support */
	constructor(provider: WsProvider, topic: string, everyMs: number, hasKeys: boolean) {
		this.#provider = provider;
		this.topic = topic;
		this.#everyMs = everyMs;
		this.#hasKeys = hasKeys;
	}

	/** The number of the last accepted message; -1 before the first one. */
	get last(): number {
		return this.published.length - 1;
	}

	start(): void {
		this.#isOn = true;
		this.#running = this.#run();
	}

	/**
	 * Stops publishing. Resolves when the last message is accepted.
	 *
	 * @throws the error of a message that was never accepted
	 */
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
		for (let attempts = 1; ; attempts++) {
			try {
				await this.#publish(n);
				this.published.push({ triedAt, acceptedAt: Date.now(), wasRetried: attempts > 1 });
				return;
			} catch (error) {
				if (!(error instanceof BusUnavailableError) || attempts === MAX_ATTEMPTS) throw error;
				await Bun.sleep(RETRY_MS);
			}
		}
	}

	#publish(n: number): Promise<void> {
		if (this.#hasKeys) return this.#provider.publish(this.topic, String(n), { idempotencyKey: String(n) });
		const { topic } = this;
		// Without history, the payload isn't wrapped, so it must already be a message that the client understands.
		return this.#provider.publish(topic, JSON.stringify({ name: 'numbered', data: n, timestamp: Date.now(), topic }));
	}
}
