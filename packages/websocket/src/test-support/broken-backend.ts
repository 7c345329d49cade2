import type { Bus, BusHandlers, BusLiveness } from '../bus.ts';
import type { HistoryStore } from '../history/history-store.ts';
import type { PresenceStore } from '../presence/presence-store.ts';
import { type BusBackend, MemoryBackend, type MemoryBackendOptions } from '../testing/index.ts';

/** Wraps another bus. A subclass breaks one thing by overriding a method. */
export class BrokenBus implements Bus {
	/** Whether the link to the backend is cut. */
	isCut = false;
	readonly inner: Bus;
	readonly liveness?: BusLiveness;
	readonly history?: HistoryStore;
	readonly presence?: PresenceStore;

	constructor(inner: Bus) {
		this.inner = inner;
		if (inner.liveness !== undefined) this.liveness = inner.liveness;
		if (inner.history !== undefined) this.history = inner.history;
		if (inner.presence !== undefined) this.presence = inner.presence;
	}

	/** Returns handlers that the inner bus calls instead of the given ones. */
	protected change(_handlers: BusHandlers): Partial<BusHandlers> {
		return {};
	}

	start(handlers: BusHandlers): Promise<void> {
		return this.inner.start({
			deliver: (channel, frame) => handlers.deliver(channel, frame),
			appended: (topic, slice) => handlers.appended(topic, slice),
			status: (status) => handlers.status(status),
			interrupted: (channels, since, reason) => handlers.interrupted(channels, since, reason),
			undelivered: (since) => handlers.undelivered(since),
			replaced: (lostAt) => handlers.replaced(lostAt),
			refused: (channel, since, error) => handlers.refused(channel, since, error),
			error: (error, stage) => handlers.error(error, stage),
			...this.change(handlers),
		});
	}

	stop(): Promise<void> {
		return this.inner.stop();
	}

	subscribe(channels: readonly string[]): Promise<void> {
		return this.inner.subscribe(channels);
	}

	unsubscribe(channels: readonly string[]): Promise<void> {
		return this.inner.unsubscribe(channels);
	}

	publish(channel: string, frame: Uint8Array): Promise<number | undefined> {
		return this.inner.publish(channel, frame);
	}
}

/** How long a case waits for an event that never happens, in milliseconds. */
const TIMEOUT_MS = 1_500;

/** Returns a backend in memory whose buses are broken. */
export function brokenBackend(broken: new (inner: Bus) => BrokenBus, options?: MemoryBackendOptions): BusBackend {
	const memory = new MemoryBackend(options);
	return {
		timeoutMs: TIMEOUT_MS,
		createBus: () => new broken(memory.createBus()),
		cut(bus) {
			(bus as BrokenBus).isCut = true;
			memory.cut((bus as BrokenBus).inner);
		},
		restore(bus) {
			(bus as BrokenBus).isCut = false;
			memory.restore((bus as BrokenBus).inner);
		},
		freeze: (bus) => memory.freeze((bus as BrokenBus).inner),
		losePresence: () => memory.losePresence(),
		moveClock: (byMs) => memory.moveClock(byMs),
		close: () => memory.close(),
	};
}
