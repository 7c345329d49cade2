import type { Sample } from '../report/results.ts';
import type { Contender } from './alternate.ts';
import type { Testbed } from './testbed.ts';

/** The number of requests in flight per client. */
const IN_FLIGHT = 8;
const WARM_UP_ROUNDS = 3;
/** The lead-in has this fraction (1/n) of a round's requests. */
const LEAD_IN = 3;

/** Measures the maximum rate of answered requests. */
export class RequestFlow implements Contender {
	readonly #testbed: Testbed;
	readonly #clients: number;
	readonly #request: string;
	readonly #replyBytes: number;
	#perClient = 20;

	private constructor(testbed: Testbed, clients: number, request: string, replyBytes: number) {
		this.#testbed = testbed;
		this.#clients = clients;
		this.#request = request;
		this.#replyBytes = replyBytes;
	}

	/** Warms up, and determines the number of requests per round. */
	static async prepare(
		testbed: Testbed,
		clients: number,
		request: string = testbed.kind.request,
	): Promise<RequestFlow> {
		const replyBytes = await testbed.group.probe(request);
		if (replyBytes === 0) throw new Error(`${testbed.kind.name} did not answer a request`);
		const flow = new RequestFlow(testbed, clients, request, replyBytes);
		for (let time = 1; time <= WARM_UP_ROUNDS; time++) {
			const { value } = await flow.round();
			flow.#perClient = Math.ceil((value / clients / 1_000) * testbed.bench.effort.roundMs);
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
		await this.#drive(Math.ceil(this.#perClient / LEAD_IN));
		return this.#drive(this.#perClient);
	}

	async #drive(requests: number): Promise<Sample> {
		const { group } = this.#testbed;
		const perClient = Math.max(IN_FLIGHT, requests);
		const expected = this.#clients * perClient;
		const used = this.#testbed.meter();
		const report = await group.drive({
			request: this.#request,
			perClient,
			inFlight: IN_FLIGHT,
			replyBytes: this.#replyBytes,
		});
		const { startedAt, endedAt, bytes } = report;
		return {
			value: expected / ((endedAt - startedAt) / 1e9),
			delivered: bytes / (expected * this.#replyBytes),
			cpu: Object.fromEntries(Object.entries(used()).map(([name, ns]) => [name, ns / 1e3 / expected])),
		};
	}
}
