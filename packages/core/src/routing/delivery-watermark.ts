import type { WebSocketProvider } from '@orijs/websocket';

/** How long after a node hears the others again its clients may still have to be told what it has missed, in milliseconds. */
const DOUBT_MS = 3_000;

/**
 * Up to when a node has had all that was published, as far as its provider knows: the present, unless the provider can't hear other nodes,
 * or only just can again. A client that is told a later time and then loses its connection would not know that it has missed anything.
 */
export class DeliveryWatermark {
	readonly #provider: Pick<WebSocketProvider, 'status'>;
	#soundAt = Date.now();
	#doubtedAt = -Infinity;

	constructor(provider: Pick<WebSocketProvider, 'status'>) {
		this.#provider = provider;
	}

	/** In milliseconds since the epoch. */
	now(): number {
		const now = Date.now();
		if (this.#provider.status !== 'ready') this.#doubtedAt = now;
		else if (now - this.#doubtedAt >= DOUBT_MS) this.#soundAt = now;
		return this.#soundAt;
	}
}
