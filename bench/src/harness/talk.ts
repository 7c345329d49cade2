import type { Sample } from '../report/results.ts';
import type { Contender } from './alternate.ts';
import type { Stage } from './stage.ts';

/** Requests that a client has under way at a time. */
const UNDER_WAY = 8;
const WARM_UP_ROUNDS = 3;
/** The lead-in is this part of a round. */
const LEAD_IN = 3;

/** As many requests as are answered. */
export class Talk implements Contender {
	readonly #stage: Stage;
	readonly #clients: number;
	readonly #request: string;
	readonly #replyBytes: number;
	#perClient = 20;

	private constructor(stage: Stage, clients: number, request: string, replyBytes: number) {
		this.#stage = stage;
		this.#clients = clients;
		this.#request = request;
		this.#replyBytes = replyBytes;
	}

	/** Warms up, and finds out how many requests make a round. */
	static async prepare(stage: Stage, clients: number, request: string = stage.kind.request): Promise<Talk> {
		const replyBytes = await stage.crowd.probe(request);
		if (replyBytes === 0) throw new Error(`${stage.kind.name} did not answer a request`);
		const talk = new Talk(stage, clients, request, replyBytes);
		for (let time = 1; time <= WARM_UP_ROUNDS; time++) {
			const { value } = await talk.round();
			talk.#perClient = Math.ceil((value / clients / 1_000) * stage.bench.effort.roundMs);
		}
		return talk;
	}

	get subject(): string {
		return this.#stage.kind.name;
	}

	/** With a lead-in that does not count: whoever was on before has filled the caches with other things. */
	async round(): Promise<Sample> {
		await this.#ask(Math.ceil(this.#perClient / LEAD_IN));
		return this.#ask(this.#perClient);
	}

	async #ask(requests: number): Promise<Sample> {
		const { crowd } = this.#stage;
		const perClient = Math.max(UNDER_WAY, requests);
		const expected = this.#clients * perClient;
		const used = this.#stage.meter();
		const report = await crowd.drive({
			request: this.#request,
			perClient,
			underWay: UNDER_WAY,
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
