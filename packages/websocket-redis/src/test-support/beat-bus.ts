import type { BeatStore, Bus, BusStage, BusStatus, StoredBeat } from '@orijs/websocket';
import {
	decodeFrame,
	type Digest,
	type DigestEntry,
	encodeDigestHeader,
	encodeEntry,
	randomOrigin,
} from '@orijs/websocket/internal';
import { until } from '@orijs/testkit';
import { onTestFinished } from 'vitest';

/** A bus that is driven without a provider, and what has reached it. */
export interface BeatBus {
	readonly bus: Bus;
	readonly origin: number;
	/** The digests that have arrived on heartbeat channels. */
	readonly digests: Digest[];
	/** The frames that have arrived on each other channel, and on heartbeat channels if they are no digests. */
	readonly frames: { readonly channel: string; readonly text: string }[];
	readonly statuses: BusStatus[];
	readonly errors: { readonly error: Error; readonly stage: BusStage }[];
	/** @throws if the bus has no store at the moment */
	beats(): BeatStore;
	/** Sends a beat of this node, whose frame is its number as text, to its own channel. Changes are applied to it. */
	beat(number: number, changes?: Partial<StoredBeat> & { readonly heartbeatChannel?: string }): Promise<void>;
	/** Returns the beat that `beat` would send. */
	make(number: number, changes?: Partial<StoredBeat> & { readonly heartbeatChannel?: string }): StoredBeat;
	/** Resolves with the first entry about a node that arrives after the given number of digests. */
	untilTold(origin: number, after?: number): Promise<DigestEntry>;
}

/** Starts a bus, which is subscribed to all heartbeat channels and its own channels. It is stopped with the test. */
export async function startBeatBus(bus: Bus): Promise<BeatBus> {
	const origin = randomOrigin();
	const digests: Digest[] = [];
	const frames: { channel: string; text: string }[] = [];
	const statuses: BusStatus[] = [];
	const errors: { error: Error; stage: BusStage }[] = [];
	onTestFinished(() => bus.stop());
	await bus.start({
		deliver(channel, bytes) {
			const frame = decodeFrame(bytes, 0);
			if (typeof frame === 'object' && frame.type === 'digest') digests.push(frame);
			else frames.push({ channel, text: Buffer.from(bytes).toString() });
		},
		appended() {},
		status: (status) => statuses.push(status),
		interrupted() {},
		undelivered() {},
		replaced() {},
		refused() {},
		error: (error, stage) => errors.push({ error, stage }),
	});
	const { liveness } = bus;
	if (liveness === undefined) throw new Error('the bus has no heartbeats');
	const beats = (): BeatStore => {
		if (liveness.beats === undefined) throw new Error('the bus does not collect beats');
		return liveness.beats;
	};
	const channels = liveness.heartbeatChannels();
	const first = channels[0] ?? '!';
	const own = liveness.beats === undefined ? [] : channels.map((channel) => beats().ownChannel(channel, origin));
	await bus.subscribe([...channels, ...own]);

	const make: BeatBus['make'] = (number, changes = {}) => {
		const { heartbeatChannel = first, ...rest } = changes;
		const given = { origin, incarnation: 0, ...rest };
		const sender = { origin: given.origin, shard: 0, incarnation: given.incarnation };
		return {
			number,
			channel: beats().ownChannel(heartbeatChannel, given.origin),
			frame: Buffer.from(String(number)),
			entry: encodeEntry({
				...sender,
				number,
				sentAt: Date.now(),
				pauseMs: 500,
				counts: { connections: 3, topics: 4 },
			}),
			digestHeader: encodeDigestHeader(sender, { least: -1, most: 2 }),
			isCollected: true,
			digestEveryMs: 60_000,
			silentAfterMs: 2_500,
			forgetAfterMs: 60_000,
			run: 1,
			...given,
		};
	};
	return {
		bus,
		origin,
		digests,
		frames,
		statuses,
		errors,
		beats,
		make,
		beat: (number, changes = {}) => beats().beat(changes.heartbeatChannel ?? first, make(number, changes)),
		async untilTold(about, after = 0) {
			const find = (): DigestEntry | undefined =>
				digests
					.slice(after)
					.flatMap(({ entries }) => entries)
					.find((entry) => entry.origin === about);
			await until(() => find() !== undefined, { what: () => `a digest tells of ${about}` });
			return find() as DigestEntry;
		},
	};
}
