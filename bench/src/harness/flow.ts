import type { Sample } from '../report/results.ts';
import type { WorkReport } from '../subjects/requests.ts';
import type { Contender } from './alternate.ts';
import type { Testbed } from './testbed.ts';

export interface FlowPlan {
	/** The topics, to which messages are published in rotation. All have the same number of subscribers. */
	readonly topics: readonly string[];
	/** The number of subscribers per topic. */
	readonly receivers: number;
	/** The payload size, in bytes. */
	readonly size: number;
	/** Whether payloads are JSON; the result then includes their size on the wire. Default: a repeated character. */
	readonly isJson?: boolean;
	/** The number of messages published per turn of the publisher's event loop. */
	readonly perTurn: number;
	/** Whether payloads of the same size can differ in size on the wire. Messages are then counted instead of bytes. */
	readonly varies?: boolean;
}

/**
 * The upper limit for the bytes in flight to all sockets together, well below the point at which any server drops
 * messages.
 */
const MAX_WINDOW_BYTES = 16 * 2 ** 20;
const MIN_WINDOW_BYTES = 4 * 2 ** 20;
const WINDOW_BYTES_PER_RECEIVER = 32 * 1024;
/** The nominal size of a message whose size on the wire varies, in bytes. */
const NOMINAL_BYTES = 256;
const STALL_MS = 3_000;
/** Enough rounds for the code to be compiled and the number of messages per round to converge. */
const WARM_UP_ROUNDS = 3;
/** The lead-in has this fraction (1/n) of a round's messages. */
const LEAD_IN = 3;

/** Measures maximum throughput, from `publish` to the last byte at the last client. */
export class Flow implements Contender {
	readonly #testbed: Testbed;
	readonly #plan: FlowPlan;
	/** The number of bytes on the wire per message, for all receivers together. */
	readonly #wireBytes: number;
	#perRound = 0;

	private constructor(testbed: Testbed, plan: FlowPlan, wireBytes: number) {
		this.#testbed = testbed;
		this.#plan = plan;
		this.#wireBytes = wireBytes;
	}

	/** Warms up, and determines the number of messages per round. */
	static async prepare(testbed: Testbed, plan: FlowPlan): Promise<Flow> {
		const flow = new Flow(testbed, plan, await wireBytesOf(testbed, plan));
		const { roundMs } = testbed.bench.effort;
		flow.#perRound = Math.ceil(1_000 / plan.receivers);
		for (let time = 1; time <= WARM_UP_ROUNDS; time++) {
			const { value, delivered } = await flow.round();
			if (delivered < 1) break;
			const wanted = (value / plan.receivers / 1_000) * roundMs * (time / WARM_UP_ROUNDS);
			flow.#perRound = Math.max(10, Math.ceil(wanted));
		}
		return flow;
	}

	get subject(): string {
		return this.#testbed.kind.name;
	}

	/**
	 * Runs a lead-in first that does not count, because the previous contender has filled the caches with other data.
	 */
	async round(): Promise<Sample> {
		await this.#send(Math.ceil(this.#perRound / LEAD_IN));
		return this.#send(this.#perRound);
	}

	async #send(count: number): Promise<Sample> {
		const { publisher, group } = this.#testbed;
		const { topics, receivers, size, isJson = false, perTurn } = this.#plan;
		const wireBytes = this.#wireBytes;
		const windowBytes = this.#windowBytes;
		await group.startCounting({
			creditPort: publisher.description.creditPort,
			confirmEach: windowBytes / 8,
			...messageBytesOf(this.#plan),
		});
		const used = this.#testbed.meter();
		const [work, arrival] = await Promise.all([
			publisher.ask<WorkReport>({ do: 'publish', count, topics, size, isJson, perTurn, wireBytes, windowBytes }),
			group.waitForBytes({ bytes: count * wireBytes, stallMs: STALL_MS }),
		]);
		const deliveries = count * receivers;
		return {
			value: deliveries / ((arrival.lastAt - work.startedAt) / 1e9),
			delivered: arrival.bytes / (count * wireBytes),
			cpu: Object.fromEntries(Object.entries(used()).map(([name, ns]) => [name, ns / 1e3 / deliveries])),
			...(isJson && { more: { 'bytes on the wire': wireBytes / receivers } }),
		};
	}

	get #windowBytes(): number {
		const { receivers, perTurn } = this.#plan;
		const wanted = Math.max(MIN_WINDOW_BYTES, receivers * WINDOW_BYTES_PER_RECEIVER, 2 * perTurn * this.#wireBytes);
		return Math.min(MAX_WINDOW_BYTES, wanted);
	}
}

/**
 * Measures the bytes on the wire per message, by publishing one message to each topic. Before a topic's first message,
 * more may be sent, so there is an earlier one that does not count.
 */
async function wireBytesOf(testbed: Testbed, plan: FlowPlan): Promise<number> {
	const { topics, size } = plan;
	await publishOneToEach(testbed, plan);
	const bytes = await publishOneToEach(testbed, plan);
	if (bytes === 0 || bytes % topics.length !== 0) {
		throw new Error(
			`${topics.length} messages of ${size} B resulted in ${bytes} bytes: some are missing, or differ in size`,
		);
	}
	return bytes / topics.length;
}

/** Returns the number of bytes that are received. */
async function publishOneToEach({ publisher, group }: Testbed, plan: FlowPlan): Promise<number> {
	const { topics, size, isJson = false } = plan;
	await group.startCounting({ creditPort: publisher.description.creditPort, confirmEach: 1, ...messageBytesOf(plan) });
	await publisher.ask({
		do: 'publish',
		count: topics.length,
		topics,
		size,
		isJson,
		perTurn: 100,
		wireBytes: 0,
		windowBytes: 1,
	});
	const { bytes } = await group.response();
	return bytes;
}

function messageBytesOf({ varies }: FlowPlan): { readonly messageBytes?: number } {
	return varies ? { messageBytes: NOMINAL_BYTES } : {};
}
