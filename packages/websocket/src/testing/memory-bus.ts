import type { Bus, BusHandlers } from '../bus.ts';

/** A backend inside this process, to which any number of {@link Bus}es connect: many nodes in one process, for tests. */
export class MemoryBackend {
	readonly #nodes = new Set<Node>();

	/** A bus on this backend. It can be started once at a time, like any other. */
	createBus(): Bus {
		const backend = this.#nodes;
		const topics = new Set<string>();
		let node: Node | undefined;
		const running = (): Node => {
			if (node === undefined || !backend.has(node)) throw new Error('the memory bus is not started');
			return node;
		};
		return {
			async start(handlers) {
				const mine: Node = { handlers, topics };
				node = mine;
				await nextTick();
				if (node !== mine) throw new Error('the memory bus was stopped');
				backend.add(mine);
				handlers.status({ state: 'ready' });
			},
			async stop() {
				if (node !== undefined) backend.delete(node);
				node = undefined;
				topics.clear();
				await nextTick();
			},
			// Both take effect at the backend at once and answer later, as over a connection.
			async subscribe(wanted) {
				const asking = running();
				for (const topic of wanted) topics.add(topic);
				await nextTick();
				if (asking !== node) throw new Error('the memory bus was stopped');
			},
			async unsubscribe(unwanted) {
				for (const topic of unwanted) topics.delete(topic);
				await nextTick();
			},
			async publish(topic, frame) {
				running();
				const copy = frame.slice();
				const receivers = [...backend].filter((other) => other.topics.has(topic));
				await nextTick();
				for (const { handlers, topics: wanted } of receivers) {
					if (wanted.has(topic)) handlers.deliver(topic, copy.slice());
				}
				return receivers.length;
			},
		};
	}
}

interface Node {
	readonly handlers: BusHandlers;
	readonly topics: ReadonlySet<string>;
}

function nextTick(): Promise<void> {
	return new Promise((resolve) => setImmediate(resolve));
}
