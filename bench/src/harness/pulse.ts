import { stamp } from '../load/stamp.ts';
import type { WorkReport } from '../subjects/requests.ts';
import type { Stage } from './stage.ts';
import { percentile } from './statistics.ts';

export interface PulsePlan {
	readonly topic: string;
	readonly size: number;
	readonly perSecond: number;
	readonly seconds: number;
}

/** How long messages take, in nanoseconds, in ascending order. */
export interface Latencies {
	/** From `publish` to the bytes at the client. */
	readonly toClient: readonly number[];
	/** From `publish` to the other node's runtime being told to publish; empty where that is not timed. */
	readonly toHandOff: readonly number[];
	/** The share of messages that arrived. */
	readonly delivered: number;
}

const STALL_MS = 1_000;

/** Publishes evenly over time, with each message stamped. */
export class Pulse {
	readonly #stage: Stage;
	readonly #stamped: { readonly wireBytes: number; readonly offset: number };

	private constructor(stage: Stage, stamped: { readonly wireBytes: number; readonly offset: number }) {
		this.#stage = stage;
		this.#stamped = stamped;
	}

	/** Finds out with one message where the stamp is. */
	static async prepare(stage: Stage, { topic, size }: Pick<PulsePlan, 'topic' | 'size'>): Promise<Pulse> {
		const { crowd, publisher } = stage;
		await crowd.begin({ creditPort: publisher.description.creditPort, confirmEach: Infinity });
		await publisher.ask({ do: 'pulse', count: 1, topics: [topic], size, perSecond: 1 });
		const { bytes, head } = await crowd.response();
		const offset = stamp.find(Uint8Array.from(head));
		if (offset < 0) throw new Error(`A stamped message came to ${bytes} bytes without its stamp`);
		return new Pulse(stage, { wireBytes: bytes, offset });
	}

	async run({ topic, size, perSecond, seconds }: PulsePlan): Promise<Latencies> {
		const { crowd, publisher, receiver } = this.#stage;
		const count = Math.ceil(perSecond * seconds);
		await receiver.ask({ do: 'hand-off times' });
		await crowd.begin({ creditPort: publisher.description.creditPort, confirmEach: Infinity, stamped: this.#stamped });
		const [, { bytes }] = await Promise.all([
			publisher.ask<WorkReport>({ do: 'pulse', count, topics: [topic], size, perSecond }),
			crowd.arrival({ bytes: count * this.#stamped.wireBytes, stallMs: STALL_MS }),
		]);
		return {
			toClient: ascending(await crowd.latencies()),
			toHandOff: ascending(await receiver.ask<number[]>({ do: 'hand-off times' })),
			delivered: bytes / (count * this.#stamped.wireBytes),
		};
	}
}

function ascending(values: readonly number[]): readonly number[] {
	return values.toSorted((a, b) => a - b);
}

/** In microseconds. */
export function quantiles(sorted: readonly number[]): Record<'p50' | 'p99' | 'p99.9', number> {
	const at = (share: number): number => percentile(sorted, share) / 1e3;
	return { p50: at(0.5), p99: at(0.99), 'p99.9': at(0.999) };
}
