import type { BusHandlers, BusStatus } from '../bus.ts';
import type { HistoryEntry, HistorySlice } from '../history/history-store.ts';

/** How long a recorder waits by default for an expected event, in milliseconds. */
const TIMEOUT_MS = 3_000;

/** A call of {@link BusHandlers.interrupted}. Times are milliseconds since the epoch. */
export interface Interruption {
	readonly channels: readonly string[] | 'all';
	readonly since: number;
	/** When the bus reported the interruption, which is when it ended. */
	readonly until: number;
}

/** Handlers that record what a bus delivers and reports. */
export class BusRecorder implements BusHandlers {
	readonly frames: { readonly channel: string; readonly frame: Uint8Array }[] = [];
	readonly slices: { readonly topic: string; readonly slice: HistorySlice }[] = [];
	readonly statuses: BusStatus[] = [];
	readonly interruptions: Interruption[] = [];
	readonly errors: Error[] = [];
	/** How many times the bus has called any handler. */
	calls = 0;
	readonly #timeoutMs: number;
	#onCall: (() => void) | undefined;

	/** @param timeoutMs how long to wait for an expected event */
	constructor(timeoutMs: number = TIMEOUT_MS) {
		this.#timeoutMs = timeoutMs;
	}

	deliver(channel: string, frame: Uint8Array): void {
		this.frames.push({ channel, frame });
		this.#called();
	}

	appended(topic: string, slice: HistorySlice): void {
		this.slices.push({ topic, slice });
		this.#called();
	}

	status(status: BusStatus): void {
		this.statuses.push(status);
		this.#called();
	}

	interrupted(channels: readonly string[] | 'all', since: number): void {
		this.interruptions.push({ channels, since, until: Date.now() });
		this.#called();
	}

	replaced(): void {}

	undelivered(): void {
		this.#called();
	}

	refused(_channel: string, _since: number, error: Error): void {
		this.error(error);
	}

	error(error: Error): void {
		this.errors.push(error);
		this.#called();
	}

	/** Returns the frames received on a channel so far, as text. */
	texts(channel: string): string[] {
		return this.frames
			.filter((received) => received.channel === channel)
			.map(({ frame }) => new TextDecoder().decode(frame));
	}

	/**
	 * Resolves once `count` frames on `channel` have arrived. If that takes too long, rejects and lists the frames that
	 * have arrived.
	 */
	untilFrames(channel: string, count: number): Promise<void> {
		return this.#until(
			() => this.frames.filter((received) => received.channel === channel).length >= count,
			() => `waited for ${count} frames of ${channel}, got ${JSON.stringify(this.texts(channel).slice(-20))}`,
		);
	}

	/** Resolves once the latest frame on `channel` has this text. */
	untilLast(channel: string, text: string): Promise<void> {
		return this.#until(
			() => this.texts(channel).at(-1) === text,
			() => `waited for ${text} on ${channel}, got ${JSON.stringify(this.texts(channel).slice(-20))}`,
		);
	}

	/** Resolves once `count` frames have arrived, on any channels. */
	untilFrameCount(count: number): Promise<void> {
		return this.#until(
			() => this.frames.length >= count,
			() => `waited for ${count} frames, got ${this.frames.length}`,
		);
	}

	/** Resolves once this is the state that the bus last reported. */
	untilStatus(state: BusStatus['state']): Promise<void> {
		return this.#until(
			() => this.statuses.at(-1)?.state === state,
			() => `waited for the status ${state}, got ${JSON.stringify(this.statuses)}`,
		);
	}

	/**
	 * Resolves once `areEnough` returns true for the interruptions reported so far.
	 *
	 * @param what the expected interruptions, in words, for the error message
	 */
	untilInterrupted(areEnough: (interruptions: readonly Interruption[]) => boolean, what: string): Promise<void> {
		return this.#until(
			() => areEnough(this.interruptions),
			() => `waited for ${what}, got ${JSON.stringify(this.interruptions)}`,
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

	#called(): void {
		this.calls++;
		this.#onCall?.();
	}

	async #until(isEnough: () => boolean, failure: () => string): Promise<void> {
		if (isEnough()) return;
		await new Promise<void>((resolve, reject) => {
			const timer = setTimeout(() => reject(new Error(failure())), this.#timeoutMs);
			this.#onCall = () => {
				if (!isEnough()) return;
				clearTimeout(timer);
				resolve();
			};
		}).finally(() => (this.#onCall = undefined));
	}
}
