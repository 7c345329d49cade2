import type { Bus, BusHandlers, BusLiveness } from '../bus.ts';
import type { HistoryStore } from '../history/history-store.ts';
import type { FrameSignatures, SignatureFault } from '../wire/signature.ts';

/** Signs the frames that a node publishes over a bus, and passes on only those that are signed. */
export class SignedBus implements Bus {
	readonly #bus: Bus;
	readonly #signatures: FrameSignatures;
	readonly #onFault: (channel: string, fault: SignatureFault) => void;

	/** @param onFault called when a frame is not passed on */
	constructor(bus: Bus, signatures: FrameSignatures, onFault: (channel: string, fault: SignatureFault) => void) {
		this.#bus = bus;
		this.#signatures = signatures;
		this.#onFault = onFault;
	}

	get namespace(): string | undefined {
		return this.#bus.namespace;
	}

	// Histories and digests of beats are put together by the backend, which has no secret.
	get history(): HistoryStore | undefined {
		return this.#bus.history;
	}

	get liveness(): BusLiveness | undefined {
		return this.#bus.liveness;
	}

	async start(handlers: BusHandlers): Promise<void> {
		const deliver = (channel: string, frame: Uint8Array): void => {
			const fault = this.#signatures.check(channel, frame);
			if (fault === undefined) handlers.deliver(channel, frame);
			else this.#onFault(channel, fault);
		};
		await this.#bus.start({ ...handlers, deliver });
		this.#signatures.open(this.#bus.namespace ?? '');
	}

	stop(): Promise<void> {
		return this.#bus.stop();
	}

	subscribe(channels: readonly string[]): Promise<void> {
		return this.#bus.subscribe(channels);
	}

	unsubscribe(channels: readonly string[]): Promise<void> {
		return this.#bus.unsubscribe(channels);
	}

	publish(channel: string, frame: Uint8Array): Promise<number | undefined> {
		return this.#bus.publish(channel, this.#signatures.sign(channel, frame));
	}
}
