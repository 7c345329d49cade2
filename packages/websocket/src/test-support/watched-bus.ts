import type { Bus, BusHandlers } from '../bus.ts';

export interface BusCall {
	readonly call: 'subscribe' | 'unsubscribe';
	readonly channels: readonly string[];
}

/** Wraps a bus: records the calls, and fails or hangs when a test demands it. */
export class WatchedBus implements Bus {
	/** The calls in the order in which they were made, including rejected ones. */
	readonly calls: BusCall[] = [];
	/** The channels that this node is subscribed to at the backend. */
	readonly subscribed: Set<string> = new Set();
	/** A subscribe to any of these channels is refused for all the channels of the call, as {@link Bus} requires. */
	readonly refused: Set<string> = new Set();
	/** While set, `publish` rejects with this error, and the frame reaches no node. */
	publishFault: Error | undefined;
	/** While set, `start` rejects with this error. */
	startFault: Error | undefined;
	readonly #inner: Bus;
	#held: PromiseWithResolvers<void> | undefined;

	constructor(inner: Bus) {
		this.#inner = inner;
	}

	/** From now on no subscribe, unsubscribe or publish settles until the returned function is called. */
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

	async subscribe(channels: readonly string[]): Promise<void> {
		this.calls.push({ call: 'subscribe', channels: [...channels] });
		const refused = channels.filter((channel) => this.refused.has(channel));
		if (refused.length === 0) for (const channel of channels) this.subscribed.add(channel);
		const answer = refused.length === 0 ? this.#inner.subscribe(channels) : undefined;
		await this.#held?.promise;
		await answer;
		if (refused.length > 0) throw new Error(`refused: ${refused.join()}`);
	}

	async unsubscribe(channels: readonly string[]): Promise<void> {
		this.calls.push({ call: 'unsubscribe', channels: [...channels] });
		for (const channel of channels) this.subscribed.delete(channel);
		const answer = this.#inner.unsubscribe(channels);
		await this.#held?.promise;
		await answer;
	}

	async publish(channel: string, frame: Uint8Array): Promise<number | undefined> {
		if (this.publishFault !== undefined) throw this.publishFault;
		await this.#held?.promise;
		return this.#inner.publish(channel, frame);
	}
}
