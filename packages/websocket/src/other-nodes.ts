import type { Bus, BusStage, BusStatus } from './bus.ts';
import { BusUnavailableError, ProviderStoppedError, type SubscribeError, UnknownSocketError } from './errors.ts';
import { randomOrigin } from './frame.ts';
import { Incoming } from './incoming.ts';
import { Interest } from './interest.ts';
import type { LocalDelivery } from './local-delivery.ts';
import type { Logger } from './logger.ts';
import { BROADCAST_CHANNEL, socketOfChannel } from './names.ts';
import { type Outcome, Outbox } from './outbox.ts';
import type { Payload } from './payload.ts';
import type { SkippedFrames } from './provider.ts';

export interface OtherNodesOptions {
	readonly local: LocalDelivery;
	readonly logger: Logger;
	readonly graceMs: number;
	/** The backend refused a channel; whoever wanted it must be rolled back. */
	readonly onRefused: (channel: string, error: SubscribeError) => void;
	/** Something failed that no caller is waiting for. */
	readonly onError: (error: Error, stage: BusStage) => void;
}

/** How long `stop` waits for the answers to what was published, in milliseconds. */
const DRAIN_TIMEOUT_MS = 1_000;

/** The way to the other nodes and back: what is asked of the bus, what goes out over it and what comes in. */
export class OtherNodes {
	readonly #bus: Bus;
	readonly #options: OtherNodesOptions;
	readonly #interest: Interest;
	readonly #outbox: Outbox;
	readonly #incoming: Incoming;
	#publishFails = false;

	constructor(bus: Bus, options: OtherNodesOptions) {
		const { local, logger, graceMs, onRefused, onError } = options;
		const origin = randomOrigin();
		this.#bus = bus;
		this.#options = options;
		this.#interest = new Interest(bus, { graceMs, onRefused, onError: (error) => onError(error, 'subscribe') });
		this.#outbox = new Outbox({
			origin,
			send: (channel, frame) => bus.publish(channel, frame),
			verdict: (channel, outcome) => this.#verdict(channel, outcome),
		});
		this.#incoming = new Incoming({ origin, local, logger, onError: (error) => onError(error, 'deliver') });
	}

	get skippedFrames(): SkippedFrames {
		return this.#incoming.skipped;
	}

	/** Connects and subscribes to what is wanted by now. Calls `check` after each wait, which may throw. */
	async start(wanted: () => Iterable<string>, check: () => void): Promise<void> {
		await this.#bus.start({
			deliver: (channel, frame) => this.#incoming.deliver(channel, frame),
			status: (status) => this.#onStatus(status),
			error: this.#options.onError,
		});
		check();
		const broadcast = this.#interest.acquire(BROADCAST_CHANNEL);
		const rest = Array.from(wanted(), (channel) => this.#interest.acquire(channel));
		this.#interest.open();
		await broadcast;
		await Promise.allSettled(rest);
	}

	/** Disconnects; subscriptions still pending reject with `reason`. Sends what waits first, if asked to. */
	async stop(reason: Error, sendFirst: boolean): Promise<void> {
		if (sendFirst) await this.#outbox.drain(DRAIN_TIMEOUT_MS, new ProviderStoppedError('publish()'));
		this.#interest.close(reason);
		await this.#bus.stop();
	}

	/** Resolves when what any node publishes on the channel will arrive. */
	listen(channel: string): Promise<void> {
		return this.#interest.acquire(channel);
	}

	/** Nobody here listens to the channel any more; it is kept for `graceMs`. */
	unlisten(channel: string, graceMs?: number): void {
		this.#interest.release(channel, graceMs);
	}

	/** Resolves when the backend has accepted the message. */
	publish(channel: string, payload: Payload): Promise<void> {
		return this.#outbox.add(channel, payload);
	}

	#verdict(channel: string, outcome: Outcome): Error | undefined {
		if ('error' in outcome) {
			const error = new BusUnavailableError(channel, { cause: outcome.error });
			if (!this.#publishFails) this.#options.onError(error, 'publish');
			this.#publishFails = true;
			return error;
		}
		this.#publishFails = false;
		const socketId = outcome.nodes === 0 ? socketOfChannel(channel) : undefined;
		return socketId === undefined ? undefined : new UnknownSocketError(socketId);
	}

	#onStatus(status: BusStatus): void {
		const { logger } = this.#options;
		if (status.state === 'ready') logger.info('Messages pass between nodes');
		else logger.warn(`Messages may not pass between nodes: ${status.reason}`);
	}
}
