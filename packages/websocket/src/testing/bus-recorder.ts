import type { BusHandlers, BusStatus } from '../bus.ts';
import type { HistoryEntry, HistorySlice } from '../history/history-store.ts';

/** How long a case waits for a frame that must arrive, in milliseconds: less than the usual time limit of a test. */
const TIMEOUT_MS = 3_000;

/** Handlers that record what a bus delivers and reports. */
export class BusRecorder implements BusHandlers {
	readonly frames: { readonly channel: string; readonly frame: Uint8Array }[] = [];
	readonly slices: { readonly topic: string; readonly slice: HistorySlice }[] = [];
	readonly statuses: BusStatus[] = [];
	readonly errors: Error[] = [];
	#onArrival: (() => void) | undefined;

	deliver(channel: string, frame: Uint8Array): void {
		this.frames.push({ channel, frame });
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

	refused(_channel: string, _since: number, error: Error): void {
		this.errors.push(error);
	}

	error(error: Error): void {
		this.errors.push(error);
	}

	/** Returns the frames received on a channel so far, as text. */
	texts(channel: string): string[] {
		return this.frames
			.filter((received) => received.channel === channel)
			.map(({ frame }) => new TextDecoder().decode(frame));
	}

	/**
	 * Resolves once `count` frames on `channel` have arrived; if that takes too long, rejects and lists those that did.
	 */
	untilFrames(channel: string, count: number): Promise<void> {
		return this.#until(
			() => this.frames.filter((received) => received.channel === channel).length >= count,
			() => `waited for ${count} frames of ${channel}, got ${JSON.stringify(this.texts(channel).slice(-20))}`,
		);
	}

	/** Resolves once `count` frames have arrived, on any channels. */
	untilFrameCount(count: number): Promise<void> {
		return this.#until(
			() => this.frames.length >= count,
			() => `waited for ${count} frames, got ${this.frames.length}`,
		);
	}

	/** Returns the entries appended to a topic so far, from all slices. */
	entries(topic: string): HistoryEntry[] {
		return this.slices.flatMap((received) => (received.topic === topic ? received.slice.entries : []));
	}

	/** Resolves once `count` entries have been appended to `topic`. */
	untilEntries(topic: string, count: number): Promise<void> {
		return this.#until(
			() => this.entries(topic).length >= count,
			() => `waited for ${count} entries of ${topic}, got ${this.entries(topic).length}`,
		);
	}

	async #until(isEnough: () => boolean, failure: () => string): Promise<void> {
		if (isEnough()) return;
		await new Promise<void>((resolve, reject) => {
			const timer = setTimeout(() => reject(new Error(failure())), TIMEOUT_MS);
			this.#onArrival = () => {
				if (!isEnough()) return;
				clearTimeout(timer);
				resolve();
			};
		}).finally(() => (this.#onArrival = undefined));
	}
}
