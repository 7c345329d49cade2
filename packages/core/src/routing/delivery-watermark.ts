import type { WebSocketProvider } from '@orijs/websocket';

/** After a node receives from the others again, gap notices to its clients may still be pending, in milliseconds. */
const SETTLING_MS = 3_000;

/**
 * The time up to which a node has received everything published, as far as its provider knows: the present, unless
 * delivery between nodes is degraded or has only just recovered. A client given a later time that then loses its
 * connection would not know that it has missed anything.
 */
export class DeliveryWatermark {
	readonly #provider: Pick<WebSocketProvider, 'status'>;
	#watermark = Date.now();
	#lastDegradedAt = -Infinity;

	constructor(provider: Pick<WebSocketProvider, 'status'>) {
		this.#provider = provider;
	}

	/** In milliseconds since the epoch. */
	now(): number {
		const now = Date.now();
		if (this.#provider.status !== 'ready') this.#lastDegradedAt = now;
		else if (now - this.#lastDegradedAt >= SETTLING_MS) this.#watermark = now;
		return this.#watermark;
	}
}
