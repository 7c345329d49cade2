import type { Bus, BusHandlers } from '../bus.ts';
import type { HistoryEntry, HistorySlice } from '../history/history-store.ts';
import { MemoryHistory } from '../history/memory-history.ts';

/** A backend in memory for any number of {@link Bus}es, so that tests can run many nodes in one process. */
export class MemoryBackend {
	readonly #nodes = new Set<Node>();
	readonly #history = new MemoryHistory((topic, slice) => this.#deliver(topic, slice));

	/** Creates a bus on this backend. */
	createBus(): Bus {
		const nodes = this.#nodes;
		const store = this.#history;
		const channels = new Set<string>();
		let node: Node | undefined;
		const running = (): Node => {
			if (node === undefined || !nodes.has(node)) throw new Error('the memory bus is not started');
			return node;
		};
		return {
			async start(handlers) {
				const mine: Node = { handlers, channels };
				node = mine;
				await nextTick();
				if (node !== mine) throw new Error('the memory bus was stopped');
				nodes.add(mine);
				handlers.status({ state: 'ready' });
			},
			async stop() {
				if (node !== undefined) nodes.delete(node);
				node = undefined;
				channels.clear();
				await nextTick();
			},
			// `subscribe` and `unsubscribe` take effect at once, but resolve later, as over a connection.
			async subscribe(wanted) {
				const subscriber = running();
				for (const channel of wanted) channels.add(channel);
				await nextTick();
				if (subscriber !== node) throw new Error('the memory bus was stopped');
			},
			async unsubscribe(unwanted) {
				for (const channel of unwanted) channels.delete(channel);
				await nextTick();
			},
			async publish(channel, frame) {
				running();
				const copy = frame.slice();
				const receivers = [...nodes].filter((other) => other.channels.has(channel));
				await nextTick();
				for (const { handlers, channels: wanted } of receivers) {
					if (wanted.has(channel)) handlers.deliver(channel, copy.slice());
				}
				return receivers.length;
			},
			history: {
				async prepare() {
					running();
				},
				async append(...call) {
					running();
					await store.append(...call);
					// The delivery to the nodes was scheduled before this.
					await nextTick();
				},
				async read(...call) {
					running();
					const slice = await store.read(...call);
					await nextTick();
					return slice;
				},
			},
		};
	}

	/** Stops the timer that removes expired history. */
	close(): void {
		this.#history.close();
	}

	#deliver(topic: string, slice: HistorySlice): void {
		const receivers = [...this.#nodes].filter((node) => node.channels.has(topic));
		setImmediate(() => {
			for (const { handlers, channels } of receivers) {
				if (channels.has(topic)) handlers.appended(topic, { ...slice, entries: slice.entries.map(copyOf) });
			}
		});
	}
}

interface Node {
	readonly handlers: BusHandlers;
	readonly channels: ReadonlySet<string>;
}

function copyOf(entry: HistoryEntry): HistoryEntry {
	return typeof entry.content === 'string' ? entry : { ...entry, content: entry.content.slice() };
}

function nextTick(): Promise<void> {
	return new Promise((resolve) => setImmediate(resolve));
}
