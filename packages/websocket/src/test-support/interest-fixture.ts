import type { SubscribeError } from '../errors.ts';
import { Interest } from '../interest.ts';
import { MemoryBackend } from '../testing/index.ts';
import { WatchedBus } from './watched-bus.ts';

export interface InterestFixture {
	readonly bus: WatchedBus;
	readonly interest: Interest;
	readonly refusals: [string, SubscribeError][];
	readonly errors: Error[];
}

/** An interest on a started bus, not opened yet. */
export async function interestOnBus(graceMs = 0): Promise<InterestFixture> {
	const bus = new WatchedBus(new MemoryBackend().createBus());
	await bus.start({
		deliver() {},
		appended() {},
		status() {},
		interrupted() {},
		refused() {},
		unheard() {},
		error() {},
	});
	const refusals: [string, SubscribeError][] = [];
	const errors: Error[] = [];
	const interest = new Interest(bus, {
		graceMs,
		onRefused: (channel, error) => refusals.push([channel, error]),
		onError: (error) => errors.push(error),
	});
	return { bus, interest, refusals, errors };
}
