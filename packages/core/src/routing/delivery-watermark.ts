import type { WebSocketProvider } from '@orijs/websocket';

/** How long gap notices may still be pending after delivery from other nodes has recovered, in milliseconds. */
const SETTLING_MS = 3_000;

/**
 * The time up to which a node has received everything published, as far as its provider knows: the current time, unless
 * delivery between nodes is degraded or has only just recovered. If a client were given a later time and then lost its
 * connection, it would not know that it has missed anything.
 */
export class DeliveryWatermark {
	readonly #provider: Pick<WebSocketProvider, 'status'>;
	#watermark = Date.now();
	#lastDegradedAt = -Infinity;

	constructor(provider: Pick<WebSocketProvider, 'status'>) {
		this.#provider = provider;
	}

	/** Returns the watermark, in milliseconds since the epoch. */
	now(): number {
		const now = Date.now();
		if (this.#provider.status !== 'ready') this.#lastDegradedAt = now;
		else if (now - this.#lastDegradedAt >= SETTLING_MS) this.#watermark = now;
		return this.#watermark;
	}
}
