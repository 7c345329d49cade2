import type { BusHandlers, BusStatus } from '../bus.ts';
import type { HistoryEntry, HistorySlice } from '../history/history-store.ts';

/** How long a case waits for a frame that must come, in milliseconds: less than test runners give a test. */
const PATIENCE_MS = 3_000;

interface Arrival {
	readonly topic: string;
	readonly frame: Uint8Array;
}

/** Handlers that write down what a bus tells them. */
export class FrameRecorder implements BusHandlers {
	readonly arrivals: Arrival[] = [];
	readonly slices: { readonly topic: string; readonly slice: HistorySlice }[] = [];
	readonly statuses: BusStatus[] = [];
	readonly errors: Error[] = [];
	#onArrival: (() => void) | undefined;

	deliver(topic: string, frame: Uint8Array): void {
		this.arrivals.push({ topic, frame });
		this.#onArrival?.();
	}

	appended(topic: string, slice: HistorySlice): void {
		this.slices.push({ topic, slice });
		this.#onArrival?.();
	}

	status(status: BusStatus): void {
		this.statuses.push(status);
	}

	interrupted(): void {}

	undelivered(): void {}

	refused(_topic: string, _since: number, error: Error): void {
		this.errors.push(error);
	}

	error(error: Error): void {
		this.errors.push(error);
	}

	/** The frames of a topic so far, as text. */
	texts(topic: string): string[] {
		return this.arrivals
			.filter((arrival) => arrival.topic === topic)
			.map(({ frame }) => new TextDecoder().decode(frame));
	}

	/** Resolves once `count` frames of `topic` are here; rejects, saying what is, when that takes too long. */
	until(topic: string, count: number): Promise<void> {
		return this.#until(
			() => this.arrivals.filter((arrival) => arrival.topic === topic).length >= count,
			() => `waited for ${count} frames of ${topic}, got ${JSON.stringify(this.texts(topic).slice(-20))}`,
		);
	}

	/** Resolves once `count` frames are here, of whatever topics. */
	untilTotal(count: number): Promise<void> {
		return this.#until(
			() => this.arrivals.length >= count,
			() => `waited for ${count} frames, got ${this.arrivals.length}`,
		);
	}

	/** The entries of a topic that were appended so far, of all slices. */
	entries(topic: string): HistoryEntry[] {
		return this.slices.flatMap((heard) => (heard.topic === topic ? heard.slice.entries : []));
	}

	/** Resolves once `count` entries were appended to `topic`. */
	untilEntries(topic: string, count: number): Promise<void> {
		return this.#until(
			() => this.entries(topic).length >= count,
			() => `waited for ${count} entries of ${topic}, got ${this.entries(topic).length}`,
		);
	}

	async #until(enough: () => boolean, complaint: () => string): Promise<void> {
		if (enough()) return;
		await new Promise<void>((resolve, reject) => {
			const timer = setTimeout(() => reject(new Error(complaint())), PATIENCE_MS);
			this.#onArrival = () => {
				if (!enough()) return;
				clearTimeout(timer);
				resolve();
			};
		}).finally(() => (this.#onArrival = undefined));
	}
}
