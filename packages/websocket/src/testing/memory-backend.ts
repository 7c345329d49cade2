import type { Bus } from '../bus.ts';
import type { HistoryEntry, HistorySlice } from '../history/history-store.ts';
import { MemoryHistory } from '../history/memory-history.ts';
import { MemoryBus, MemoryNetwork } from './memory-bus.ts';

export interface MemoryBackendOptions {
	/** Whether its buses have `liveness`, as for connections that can die unnoticed. Default false. */
	readonly liveness?: boolean;
}

/** A backend in memory for any number of {@link Bus}es, so that tests can run many nodes in one process. */
export class MemoryBackend {
	readonly #liveness: boolean;
	readonly #history = new MemoryHistory((topic, slice) => this.#deliver(topic, slice));
	readonly #nodes = new WeakMap<Bus, MemoryBus>();
	readonly #network = new MemoryNetwork(this.#history);

	constructor({ liveness = false }: MemoryBackendOptions = {}) {
		this.#liveness = liveness;
	}

	/** Creates a bus on this backend. A plain object: `{ ...bus, publish }` overrides a method of it. */
	createBus(): Bus {
		const node = new MemoryBus(this.#network, this.#liveness);
		const bus: Bus = {
			start: (handlers) => node.start(handlers),
			stop: () => node.stop(),
			subscribe: (channels) => node.subscribe(channels),
			unsubscribe: (channels) => node.unsubscribe(channels),
			publish: (channel, frame) => node.publish(channel, frame),
			history: node.history,
			...(node.liveness !== undefined && { liveness: node.liveness }),
		};
		this.#nodes.set(bus, node);
		return bus;
	}

	/** Makes this backend unreachable for one of its buses, which notices that. */
	cut(bus: Bus): void {
		this.#nodeOf(bus).cut();
	}

	/** Undoes `cut`: the bus recovers. */
	restore(bus: Bus): void {
		this.#nodeOf(bus).restore();
	}

	/** From now on nothing passes between this backend and the bus, which does not notice; a new connection works. */
	freeze(bus: Bus): void {
		this.#nodeOf(bus).freeze();
	}

	/** Stops the timer that removes expired history. */
	close(): void {
		this.#history.close();
	}

	#nodeOf(bus: Bus): MemoryBus {
		const node = this.#nodes.get(bus);
		if (node === undefined) throw new TypeError('the bus is not one that createBus() of this backend has returned');
		return node;
	}

	#deliver(topic: string, slice: HistorySlice): void {
		const at = Date.now();
		const receivers = this.#network.subscribersOf(topic);
		setImmediate(() => {
			for (const bus of receivers) bus.appended(topic, { ...slice, entries: slice.entries.map(copyOf) }, at);
		});
	}
}

function copyOf(entry: HistoryEntry): HistoryEntry {
	return typeof entry.content === 'string' ? entry : { ...entry, content: entry.content.slice() };
}
