import { stamp } from '../load/stamp.ts';
import type { WorkReport } from '../subjects/requests.ts';
import type { Testbed } from './testbed.ts';
import { percentile } from './statistics.ts';

export interface PacedPlan {
	readonly topic: string;
	readonly size: number;
	readonly perSecond: number;
	readonly seconds: number;
}

/** Latencies in nanoseconds, in ascending order. */
export interface Latencies {
	/** From `publish` to arrival at the client. */
	readonly toClient: readonly number[];
	/** From `publish` to the hand-off to the other node's runtime; empty if this is not measured. */
	readonly toHandOff: readonly number[];
	/** The share of messages that arrived. */
	readonly delivered: number;
}

const STALL_MS = 1_000;

/** Publishes timestamped messages at a fixed rate. */
export class PacedStream {
	readonly #testbed: Testbed;
	readonly #stamped: { readonly wireBytes: number; readonly offset: number };

	private constructor(testbed: Testbed, stamped: { readonly wireBytes: number; readonly offset: number }) {
		this.#testbed = testbed;
		this.#stamped = stamped;
	}

	/** Publishes one message to find out where the timestamp is. */
	static async prepare(testbed: Testbed, { topic, size }: Pick<PacedPlan, 'topic' | 'size'>): Promise<PacedStream> {
		const { group, publisher } = testbed;
		await group.startCounting({ creditPort: publisher.description.creditPort, confirmEach: Infinity });
		await publisher.ask({ do: 'publish-paced', count: 1, topics: [topic], size, perSecond: 1 });
		const { bytes, head } = await group.response();
		const offset = stamp.find(Uint8Array.from(head));
		if (offset < 0) throw new Error(`No timestamp in the ${bytes} bytes of a message`);
		return new PacedStream(testbed, { wireBytes: bytes, offset });
	}

	async run({ topic, size, perSecond, seconds }: PacedPlan): Promise<Latencies> {
		const { group, publisher, receiver } = this.#testbed;
		const count = Math.ceil(perSecond * seconds);
		await receiver.ask({ do: 'hand-off times' });
		await group.startCounting({
			creditPort: publisher.description.creditPort,
			confirmEach: Infinity,
			stamped: this.#stamped,
		});
		const [, { bytes }] = await Promise.all([
			publisher.ask<WorkReport>({ do: 'publish-paced', count, topics: [topic], size, perSecond }),
			group.waitForBytes({ bytes: count * this.#stamped.wireBytes, stallMs: STALL_MS }),
		]);
		return {
			toClient: ascending(await group.latencies()),
			toHandOff: ascending(await receiver.ask<number[]>({ do: 'hand-off times' })),
			delivered: bytes / (count * this.#stamped.wireBytes),
		};
	}
}

function ascending(values: readonly number[]): readonly number[] {
	return values.toSorted((a, b) => a - b);
}

/** Returns quantiles in microseconds, from sorted latencies in nanoseconds. */
export function quantiles(sorted: readonly number[]): Record<'p50' | 'p99' | 'p99.9', number> {
	const at = (share: number): number => percentile(sorted, share) / 1e3;
	return { p50: at(0.5), p99: at(0.99), 'p99.9': at(0.999) };
}
