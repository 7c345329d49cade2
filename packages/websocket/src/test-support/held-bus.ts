import type { Bus } from '../bus.ts';
import type { HistoryStore } from '../history/history-store.ts';
import type { MemoryBackend } from '../testing/index.ts';

/** A bus on a backend in memory, which answers only when a test says so. */
export class HeldBus {
	/** The bus of the backend, which can be cut and frozen there. */
	readonly inner: Bus;
	/** The bus for the provider. */
	readonly bus: Bus;
	/** Subscribing to one of these channels is refused. */
	readonly refused: Set<string> = new Set();
	/** While set, histories can't be read. */
	readFault: Error | undefined;
	/** How often histories were read. */
	reads = 0;
	#answers: PromiseWithResolvers<void> | undefined;

	constructor(backend: MemoryBackend) {
		const inner = backend.createBus();
		const store = inner.history as HistoryStore;
		this.inner = inner;
		this.bus = {
			...inner,
			subscribe: async (channels) => {
				const refused = channels.filter((channel) => this.refused.has(channel));
				const answer = refused.length === 0 ? inner.subscribe(channels) : undefined;
				await this.#answers?.promise;
				await answer;
				if (refused.length > 0) throw new Error(`refused: ${refused.join()}`);
			},
			history: {
				prepare: () => store.prepare(),
				append: (...call) => store.append(...call),
				read: (...call) => {
					this.reads++;
					return this.readFault === undefined ? store.read(...call) : Promise.reject(this.readFault);
				},
			},
		};
	}

	/** From now on, no subscribe settles until the returned function is called. */
	hold(): () => void {
		const answers = Promise.withResolvers<void>();
		this.#answers = answers;
		return () => {
			this.#answers = undefined;
			answers.resolve();
		};
	}
}
