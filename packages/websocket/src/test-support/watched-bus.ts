import type { Bus, BusHandlers } from '../bus.ts';

export interface BusCall {
	readonly call: 'subscribe' | 'unsubscribe';
	readonly topics: readonly string[];
}

/** A bus in front of another one: writes down what is asked of it, and fails or hangs where a test tells it to. */
export class WatchedBus implements Bus {
	/** In the order they were made, the refused ones included. */
	readonly calls: BusCall[] = [];
	/** What the backend has subscribed for this node. */
	readonly subscribed: Set<string> = new Set();
	/** Topics that a subscribe is refused for, together with the others of its call, as {@link Bus} has it. */
	readonly refused: Set<string> = new Set();
	/** While set, a publish is refused with it, and reaches nobody. */
	publishFault: Error | undefined;
	/** While set, a start is refused with it. */
	startFault: Error | undefined;
	readonly #inner: Bus;
	#held: PromiseWithResolvers<void> | undefined;

	constructor(inner: Bus) {
		this.#inner = inner;
	}

	/** From now on nothing that is asked of this bus is answered, until the returned function is called. */
	hang(): () => void {
		const held = Promise.withResolvers<void>();
		this.#held = held;
		return () => {
			this.#held = undefined;
			held.resolve();
		};
	}

	async start(handlers: BusHandlers): Promise<void> {
		if (this.startFault !== undefined) throw this.startFault;
		await this.#inner.start(handlers);
	}

	stop(): Promise<void> {
		this.subscribed.clear();
		return this.#inner.stop();
	}

	async subscribe(topics: readonly string[]): Promise<void> {
		this.calls.push({ call: 'subscribe', topics: [...topics] });
		const refused = topics.filter((topic) => this.refused.has(topic));
		if (refused.length === 0) for (const topic of topics) this.subscribed.add(topic);
		const answer = refused.length === 0 ? this.#inner.subscribe(topics) : undefined;
		await this.#held?.promise;
		await answer;
		if (refused.length > 0) throw new Error(`refused: ${refused.join()}`);
	}

	async unsubscribe(topics: readonly string[]): Promise<void> {
		this.calls.push({ call: 'unsubscribe', topics: [...topics] });
		for (const topic of topics) this.subscribed.delete(topic);
		const answer = this.#inner.unsubscribe(topics);
		await this.#held?.promise;
		await answer;
	}

	async publish(topic: string, frame: Uint8Array): Promise<number | undefined> {
		if (this.publishFault !== undefined) throw this.publishFault;
		await this.#held?.promise;
		return this.#inner.publish(topic, frame);
	}
}
