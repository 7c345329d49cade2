import type { Bus, BusHandlers } from '../bus.ts';
import type { HistoryEntry, HistorySlice } from '../history/history-store.ts';
import { MemoryHistory } from '../history/memory-history.ts';

/** A backend inside this process, to which any number of {@link Bus}es connect: many nodes in one process, for tests. */
export class MemoryBackend {
	readonly #nodes = new Set<Node>();
	readonly #history = new MemoryHistory((topic, slice) => this.#handOut(topic, slice));

	/** A bus on this backend. It can be started once at a time, like any other. */
	createBus(): Bus {
		const backend = this.#nodes;
		const kept = this.#history;
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
			history: {
				async prepare() {
					running();
				},
				async append(...call) {
					running();
					await kept.append(...call);
					// What the nodes are handed was put in line before this.
					await nextTick();
				},
				async read(...call) {
					running();
					const slice = await kept.read(...call);
					await nextTick();
					return slice;
				},
			},
		};
	}

	/** Ends what runs by itself, the expiry of the history. */
	close(): void {
		this.#history.close();
	}

	#handOut(topic: string, slice: HistorySlice): void {
		const receivers = [...this.#nodes].filter((node) => node.topics.has(topic));
		setImmediate(() => {
			for (const { handlers, topics } of receivers) {
				if (topics.has(topic)) handlers.appended(topic, { ...slice, entries: slice.entries.map(copyOf) });
			}
		});
	}
}

interface Node {
	readonly handlers: BusHandlers;
	readonly topics: ReadonlySet<string>;
}

function copyOf(entry: HistoryEntry): HistoryEntry {
	return typeof entry.content === 'string' ? entry : { ...entry, content: entry.content.slice() };
}

function nextTick(): Promise<void> {
	return new Promise((resolve) => setImmediate(resolve));
}
