import type { SubscribeError } from '../errors.ts';
import { ChannelInterest } from '../nodes/channel-interest.ts';
import { MemoryBackend } from '../testing/index.ts';
import { WatchedBus } from './watched-bus.ts';
import { silentHandlers } from './silent-handlers.ts';

export interface InterestFixture {
	readonly bus: WatchedBus;
	readonly interest: ChannelInterest;
	readonly refusals: [string, SubscribeError][];
	/** The reported losses: a channel with the message of its error or, once it is resubscribed, without one. */
	readonly losses: (string | undefined)[][];
	readonly errors: Error[];
}

/** Creates a `ChannelInterest` on a started bus, without calling `open()`. */
export async function interestOnBus(graceMs = 0): Promise<InterestFixture> {
	const bus = new WatchedBus(new MemoryBackend().createBus());
	await bus.start(silentHandlers);
	const refusals: [string, SubscribeError][] = [];
	const losses: (string | undefined)[][] = [];
	const errors: Error[] = [];
	const interest = new ChannelInterest(bus, {
		graceMs,
		onRefused: (channel, error) => refusals.push([channel, error]),
		onLost: (channel, _since, error) => losses.push([channel, error?.message]),
		onError: (error) => errors.push(error),
	});
	return { bus, interest, refusals, losses, errors };
}
