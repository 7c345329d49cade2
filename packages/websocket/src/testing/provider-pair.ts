import { sleep } from '../support/promises.ts';
import type { CaseContext } from './case-context.ts';
import { type NodeOptions, ProviderNode } from './provider-node.ts';
import { until } from './waiting.ts';

/**
 * How long a link is cut, in milliseconds. It exceeds the margin by which gaps are widened, so that a gap that begins
 * too late is noticed.
 */
const OUTAGE_MS = 400;
const PACE_MS = 2;

/** Runs two providers, each with a client that receives the messages of both. */
export class ProviderPair {
	readonly a: ProviderNode;
	readonly b: ProviderNode;
	readonly #context: CaseContext;

	private constructor(context: CaseContext, a: ProviderNode, b: ProviderNode) {
		this.#context = context;
		this.a = a;
		this.b = b;
	}

	static async start(context: CaseContext, options: NodeOptions = {}): Promise<ProviderPair> {
		const [a, b] = [await context.createBus(), await context.createBus()];
		return new ProviderPair(
			context,
			await ProviderNode.start(context, 'a', a, options),
			await ProviderNode.start(context, 'b', b, options),
		);
	}

	/** Both directions in which messages travel. */
	get ways(): readonly Way[] {
		const { a, b } = this;
		return [
			{ from: a, to: b },
			{ from: b, to: a },
		];
	}

	/** Cuts the links of these nodes in turn, and restores them in the reverse order. */
	async cut(...nodes: readonly ProviderNode[]): Promise<void> {
		for (const { bus } of nodes) {
			await this.#context.cut(bus);
			await sleep(OUTAGE_MS / nodes.length);
		}
		for (const { bus } of nodes.toReversed()) {
			await this.#context.restore(bus);
			await sleep(OUTAGE_MS / 4);
		}
	}

	/**
	 * Calls `inject`, which breaks something, while both nodes publish. Resolves once everything works again and every
	 * publish has settled.
	 */
	async publishThroughout(inject: () => Promise<void>): Promise<void> {
		const nodes = [this.a, this.b];
		const timer = setInterval(() => {
			for (const node of nodes) node.publish();
		}, PACE_MS);
		try {
			await this.#untilReceiving();
			await inject();
			await this.#untilReceiving();
		} finally {
			clearInterval(timer);
		}
		for (const node of nodes) await node.settled(this.#context.timeoutMs);
	}

	/** Resolves once each node has received a message that the other publishes from now on. */
	async #untilReceiving(): Promise<void> {
		const ways = this.ways.map(({ from, to }) => ({ from, to, next: from.sent.length }));
		const silent = (): (typeof ways)[number] | undefined =>
			ways.find(({ from, to, next }) => (to.receivedFrom(from.name).at(-1) ?? -1) < next);
		await until(
			() => silent() === undefined,
			this.#context.timeoutMs,
			() => `no messages of node ${silent()?.from.name} arrive at node ${silent()?.to.name}`,
		);
	}
}

/** One direction: from the node that publishes to the node whose client receives. */
export interface Way {
	readonly from: ProviderNode;
	readonly to: ProviderNode;
}
