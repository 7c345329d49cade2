import type { Bus } from '../bus.ts';
import type { HistoryEntry, HistorySlice } from '../history/history-store.ts';
import { MemoryHistory } from '../history/memory-history.ts';
import { MemoryPresence } from '../presence/memory-presence.ts';
import { presenceChannel } from '../wire/channel-names.ts';
import { MemoryBus, MemoryNetwork } from './memory-bus.ts';

export interface MemoryBackendOptions {
	/**
	 * Whether the backend's buses have `liveness`, which transports need whose connections can die silently. Default
	 * false.
	 */
	readonly liveness?: boolean;
	/** Whether the backend collects beats, if its buses have `liveness`. Default true. */
	readonly beats?: boolean;
}

/** A backend in memory for any number of {@link Bus}es. With it, a test can run many nodes in one process. */
export class MemoryBackend {
	readonly #liveness: boolean;
	readonly #beats: boolean;
	readonly #history = new MemoryHistory((topic, slice) => this.#deliver(topic, slice));
	readonly #nodes = new WeakMap<Bus, MemoryBus>();
	/** How far the backend's clock is ahead of this process's, in milliseconds. */
	#aheadMs = 0;
	readonly #presence = new MemoryPresence((topic, frame) => this.#publish(presenceChannel(topic), frame), {
		isShared: true,
		now: () => Date.now() + this.#aheadMs,
	});
	readonly #network = new MemoryNetwork(this.#history, this.#presence);

	constructor({ liveness = false, beats = true }: MemoryBackendOptions = {}) {
		this.#liveness = liveness;
		this.#beats = beats;
	}

	/**
	 * Creates a bus on this backend. The bus is a plain object, so `{ ...bus, publish }` overrides one of its methods.
	 */
	createBus(): Bus {
		const node = new MemoryBus(this.#network, this.#liveness, this.#beats);
		const bus: Bus = {
			start: (handlers) => node.start(handlers),
			stop: () => node.stop(),
			subscribe: (channels) => node.subscribe(channels),
			unsubscribe: (channels) => node.unsubscribe(channels),
			publish: (channel, frame) => node.publish(channel, frame),
			history: node.history,
			presence: node.presence,
			...(node.liveness !== undefined && { liveness: node.liveness }),
		};
		this.#nodes.set(bus, node);
		return bus;
	}

	/** Makes this backend unreachable for one of its buses. The bus notices the outage. */
	cut(bus: Bus): void {
		this.#nodeOf(bus).cut();
	}

	/** Undoes `cut`: the bus recovers. */
	restore(bus: Bus): void {
		this.#nodeOf(bus).restore();
	}

	/**
	 * Makes the connection of one of the buses half-open: nothing gets through, and the bus does not notice. With
	 * `liveness`, the provider's heartbeats detect the dead connection and replace it.
	 */
	freeze(bus: Bus): void {
		this.#nodeOf(bus).freeze();
	}

	/** Forgets all collected beats, as a backend does that is restarted. */
	forgetBeats(): void {
		this.#network.beats.clear();
	}

	/** Forgets who is present, as a backend does that is restarted without its data. The buses notice it. */
	losePresence(): void {
		this.#presence.clear();
		this.#network.presenceLost();
	}

	/** Moves the clock by which the backend keeps presence, in milliseconds; back if negative. */
	moveClock(byMs: number): void {
		this.#aheadMs += byMs;
	}

	/** Stops the timer that removes expired history. */
	close(): void {
		this.#history.close();
	}

	#nodeOf(bus: Bus): MemoryBus {
		const node = this.#nodes.get(bus);
		if (node === undefined) throw new TypeError("the bus was not created by this backend's createBus()");
		return node;
	}

	#publish(channel: string, frame: Buffer): void {
		const at = Date.now();
		const receivers = this.#network.subscribersOf(channel);
		setImmediate(() => {
			for (const bus of receivers) bus.published(channel, new Uint8Array(frame), at);
		});
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
