import type { Sample } from '../report/results.ts';
import type { WorkReport } from '../subjects/requests.ts';
import type { Contender } from './alternate.ts';
import type { Stage } from './stage.ts';

export interface FlowPlan {
	/** Published to in turn; each has the same number of clients. */
	readonly topics: readonly string[];
	/** How many clients each topic has. */
	readonly receivers: number;
	/** Of a message, in bytes. */
	readonly size: number;
	/** Messages published before the publisher's event loop turns. */
	readonly perTurn: number;
	/** Messages of one size differ in size on the wire: they are counted one by one. */
	readonly varies?: boolean;
}

/** The most that may be on its way to all sockets together, in bytes; well below what any server drops at. */
const MOST_WINDOW_BYTES = 16 * 2 ** 20;
const LEAST_WINDOW_BYTES = 4 * 2 ** 20;
const WINDOW_BYTES_EACH = 32 * 1024;
/** What a message counts as where the wire's own size varies, in bytes. */
const VARYING_BYTES = 256;
const STALL_MS = 3_000;
/** Rounds until the code is compiled and the number of messages is right. */
const WARM_UP_ROUNDS = 3;
/** The lead-in is this part of a round. */
const LEAD_IN = 3;

/** As many messages as go through, from `publish` to the bytes at the last client. */
export class Flow implements Contender {
	readonly #stage: Stage;
	readonly #plan: FlowPlan;
	/** What one message comes to at all its receivers together, in bytes. */
	readonly #wireBytes: number;
	#perRound = 0;

	private constructor(stage: Stage, plan: FlowPlan, wireBytes: number) {
		this.#stage = stage;
		this.#plan = plan;
		this.#wireBytes = wireBytes;
	}

	/** Warms up, and finds out how many messages make a round. */
	static async prepare(stage: Stage, plan: FlowPlan): Promise<Flow> {
		const flow = new Flow(stage, plan, await wireBytesOf(stage, plan));
		const { roundMs } = stage.bench.effort;
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
		return this.#stage.kind.name;
	}

	/** With a lead-in that does not count: whoever was on before has filled the caches with other things. */
	async round(): Promise<Sample> {
		await this.#send(Math.ceil(this.#perRound / LEAD_IN));
		return this.#send(this.#perRound);
	}

	async #send(count: number): Promise<Sample> {
		const { publisher, crowd } = this.#stage;
		const { topics, receivers, size, perTurn } = this.#plan;
		const wireBytes = this.#wireBytes;
		const windowBytes = this.#windowBytes;
		await crowd.begin({
			creditPort: publisher.description.creditPort,
			confirmEach: windowBytes / 8,
			...messageBytesOf(this.#plan),
		});
		const used = this.#stage.meter();
		const [work, arrival] = await Promise.all([
			publisher.ask<WorkReport>({ do: 'publish', count, topics, size, perTurn, wireBytes, windowBytes }),
			crowd.arrival({ bytes: count * wireBytes, stallMs: STALL_MS }),
		]);
		const deliveries = count * receivers;
		return {
			value: deliveries / ((arrival.lastAt - work.startedAt) / 1e9),
			delivered: arrival.bytes / (count * wireBytes),
			cpu: Object.fromEntries(Object.entries(used()).map(([name, ns]) => [name, ns / 1e3 / deliveries])),
		};
	}

	get #windowBytes(): number {
		const { receivers, perTurn } = this.#plan;
		const wanted = Math.max(LEAST_WINDOW_BYTES, receivers * WINDOW_BYTES_EACH, 2 * perTurn * this.#wireBytes);
		return Math.min(MOST_WINDOW_BYTES, wanted);
	}
}

/** Found out by sending one message to each topic. */
async function wireBytesOf({ publisher, crowd }: Stage, plan: FlowPlan): Promise<number> {
	const { topics, size } = plan;
	await crowd.begin({ creditPort: publisher.description.creditPort, confirmEach: 1, ...messageBytesOf(plan) });
	const work = { count: topics.length, topics, size, perTurn: 100, wireBytes: 0, windowBytes: 1 };
	await publisher.ask({ do: 'publish', ...work });
	const { bytes } = await crowd.response();
	if (bytes === 0 || bytes % topics.length !== 0) {
		throw new Error(
			`${topics.length} messages of ${size} B came to ${bytes} bytes: some are missing, or of another size`,
		);
	}
	return bytes / topics.length;
}

function messageBytesOf({ varies }: FlowPlan): { readonly messageBytes?: number } {
	return varies ? { messageBytes: VARYING_BYTES } : {};
}
