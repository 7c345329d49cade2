import type { BeatStore, Bus, BusHandlers, BusLiveness, StoredBeat } from '../bus.ts';
import type { HistoryStore } from '../history/history-store.ts';
import type { FrameSignatures, SignatureFault } from '../wire/signature.ts';

/** Signs the frames that a node publishes over a bus, and passes on only those that are signed. */
export class SignedBus implements Bus {
	readonly #bus: Bus;
	readonly #signatures: FrameSignatures;
	readonly #onFault: (channel: string, fault: SignatureFault) => void;
	readonly liveness: BusLiveness | undefined;

	/** @param onFault called when a frame is not passed on */
	constructor(bus: Bus, signatures: FrameSignatures, onFault: (channel: string, fault: SignatureFault) => void) {
		this.#bus = bus;
		this.#signatures = signatures;
		this.#onFault = onFault;
		this.liveness = bus.liveness === undefined ? undefined : signedLiveness(bus.liveness, signatures);
	}

	get namespace(): string | undefined {
		return this.#bus.namespace;
	}

	// What the backend puts together is not signed: histories, and digests of beats.
	get history(): HistoryStore | undefined {
		return this.#bus.history;
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

function signedLiveness(liveness: BusLiveness, signatures: FrameSignatures): BusLiveness {
	let store: BeatStore | undefined;
	let signed: BeatStore | undefined;
	return {
		heartbeatChannels: () => liveness.heartbeatChannels(),
		shardOf: (channel) => liveness.shardOf(channel),
		isInterrupted: (heartbeatChannel) => liveness.isInterrupted(heartbeatChannel),
		reconnect: (heartbeatChannel, direction) => liveness.reconnect(heartbeatChannel, direction),
		verifyPrimary: () => liveness.verifyPrimary(),
		connection: (heartbeatChannel) => liveness.connection?.(heartbeatChannel),
		get beats() {
			if (liveness.beats !== store) {
				store = liveness.beats;
				signed = store === undefined ? undefined : signedBeats(store, signatures);
			}
			return signed;
		},
	};
}

function signedBeats(store: BeatStore, signatures: FrameSignatures): BeatStore {
	const sign = (beat: StoredBeat): StoredBeat => ({ ...beat, frame: signatures.sign(beat.channel, beat.frame) });
	return {
		ownChannel: (heartbeatChannel, origin) => store.ownChannel(heartbeatChannel, origin),
		beat: (heartbeatChannel, beat) => store.beat(heartbeatChannel, sign(beat)),
		remove: (heartbeatChannel, last) => store.remove(heartbeatChannel, sign(last)),
		list: () => store.list(),
		describe: (text) => store.describe(text),
	};
}
