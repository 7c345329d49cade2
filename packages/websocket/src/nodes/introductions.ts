import type { BeatStore } from '../bus.ts';
import type { Hello } from '../wire/frame.ts';
import type { NodeLease } from './lease.ts';
import type { NodeDirectory } from './node-directory.ts';
import { type Asked, type Greeting, type NodeDescription, readDescription } from './node-description.ts';

export interface IntroductionsOptions {
	readonly directory: NodeDirectory;
	readonly lease: NodeLease;
	/** Returns where nodes leave what they say of themselves; undefined if the backend can't keep it. */
	readonly store: () => BeatStore | undefined;
	/** Publishes what this node says of itself to the others. */
	readonly publish: (text: string) => Promise<unknown>;
	/** The number of nodes, this one included. */
	readonly nodeCount: () => number;
	/** Called with the number of other nodes that are there, according to the backend. */
	readonly onListed: (count: number) => void;
	/** Returns whether an origin is this node. */
	readonly isSelf: (origin: number) => boolean;
}

/** The shortest and the longest time between two attempts to learn who the other nodes are, in milliseconds. */
const LEARN_FIRST_MS = 2_000;
const LEARN_LAST_MS = 60_000;
/**
 * An attempt is delayed at random by up to this much, in milliseconds, or this much for each node: many nodes may have
 * the same reason at the same time.
 */
const SPREAD_MS = 500;
const SPREAD_PER_NODE_MS = 10;
/** How long after they were asked the others have said who they are, in milliseconds. */
const ANSWERED_MS = 2 * SPREAD_MS;
/** A node whose last beat is older than this, in milliseconds, does not count as being there. */
const SILENT_MS = 2_500;

/**
 * Tells the other nodes who this one is, and learns who they are. Where the backend keeps it, a node that starts says
 * it once and reads what the others have said. Otherwise it asks them, and they say it again.
 */
export class Introductions {
	readonly #options: IntroductionsOptions;
	#isStarted = false;
	/** Where the backend keeps what this node says of itself. */
	#describedTo: BeatStore | undefined;
	/** Whether the others must be told who this node is. */
	#mustGreet = false;
	/** Whether the others must be asked, even if it is known who all of them are. */
	#mustLearn = false;
	#learning: ReturnType<typeof setTimeout> | undefined;
	/** Pending while this node is about to say again who it is. */
	#answering: ReturnType<typeof setTimeout> | undefined;
	#learnEveryMs = LEARN_FIRST_MS;
	#learnedAt = -Infinity;
	/** From when on all nodes have had the time to say who they are. */
	#knownFrom = Infinity;

	constructor(options: IntroductionsOptions) {
		this.#options = options;
	}

	/** Called when this node starts, once it receives what the others publish. */
	start(): void {
		this.#isStarted = true;
		this.#describe();
		this.#mustGreet = true;
		if (this.#options.store() !== undefined) void this.#learn();
		this.check();
	}

	stop(): void {
		this.#isStarted = false;
		clearTimeout(this.#learning);
		clearTimeout(this.#answering);
		this.#learning = this.#answering = undefined;
		this.#learnEveryMs = LEARN_FIRST_MS;
		this.#learnedAt = -Infinity;
		this.#knownFrom = Infinity;
	}

	/** Whether it is known who the other nodes are, apart from those that have just started. */
	get areAllKnown(): boolean {
		return !this.#mustLearn && performance.now() >= this.#knownFrom && !this.#options.directory.hasUnknown;
	}

	/** Does what is due. Called once per heartbeat interval. */
	check(): void {
		if (this.#options.store() !== this.#describedTo) this.#describe();
		if (this.#mustGreet) this.#greet();
		if (this.#mustLearn || this.#options.directory.hasUnknown) this.#learnLater();
		else this.#learnEveryMs = LEARN_FIRST_MS;
	}

	/** Called when this node has taken a new generation. */
	renewed(): void {
		this.#describe();
		// Many nodes may do so at the same time, and those that start read it from the backend.
		if (this.#options.store() === undefined) this.#mustGreet = true;
		else this.#greetLater();
	}

	/** Called after an interruption, in which other nodes may have come. */
	interrupted(): void {
		this.#mustLearn = true;
		this.#knownFrom = Infinity;
	}

	/** Called when another node has said who it is. */
	greeted({ origin, text }: Hello): void {
		const greeting = readDescription(text);
		if (greeting === undefined) return;
		this.#options.directory.described(origin, greeting);
		const isAsked = greeting.asks === 'all' || (greeting.asks === 'unlisted' && this.#options.store() === undefined);
		if (!isAsked || !this.#isStarted) return;
		this.#greetLater();
	}

	#greetLater(): void {
		this.#answering ??= setTimeout(() => {
			this.#answering = undefined;
			this.#greet(false);
		}, this.#spreadMs());
	}

	#describe(): void {
		const { directory, lease, store } = this.#options;
		this.#describedTo = store();
		this.#describedTo?.describe(JSON.stringify(directory.describe(lease.generation)));
	}

	#greet(asks: Asked | false = this.#options.store() === undefined && 'all'): void {
		const { directory, lease, publish } = this.#options;
		const greeting: Greeting = { ...directory.describe(lease.generation), asks };
		this.#mustGreet = false;
		publish(JSON.stringify(greeting)).then(
			() => {
				if (asks && this.#isStarted) this.#knownFrom = Math.min(this.#knownFrom, performance.now() + ANSWERED_MS);
			},
			() => {
				this.#mustGreet = this.#isStarted;
			},
		);
	}

	#learnLater(): void {
		if (this.#learning !== undefined) return;
		const waitMs = Math.max(0, this.#learnedAt + this.#learnEveryMs - performance.now());
		this.#learning = setTimeout(() => {
			this.#learning = undefined;
			if (!this.#mustLearn && !this.#options.directory.hasUnknown) return;
			this.#learnEveryMs = Math.min(2 * this.#learnEveryMs, LEARN_LAST_MS);
			void this.#learn();
		}, waitMs + this.#spreadMs());
	}

	async #learn(): Promise<void> {
		const { directory, store, onListed, isSelf } = this.#options;
		this.#learnedAt = performance.now();
		this.#mustLearn = false;
		const beats = store();
		if (beats === undefined) return this.#greet('all');
		try {
			const nodes = await beats.list();
			if (!this.#isStarted) return;
			const others: [origin: number, description: NodeDescription, ageMs: number][] = [];
			for (const { origin, text, ageMs } of nodes) {
				const description = readDescription(text);
				if (!isSelf(origin) && description !== undefined) others.push([origin, description, ageMs]);
			}
			this.#knownFrom = 0;
			onListed(others.filter(([, , ageMs]) => ageMs <= SILENT_MS).length);
			directory.listed(others);
			// The backend may refuse to keep what some of the nodes say. Just after a start, others may still be about to.
			if (directory.hasUnknown && this.#learnEveryMs > LEARN_FIRST_MS) this.#greet('unlisted');
		} catch {
			this.#mustLearn = this.#isStarted;
		}
	}

	#spreadMs(): number {
		return Math.random() * Math.max(SPREAD_MS, SPREAD_PER_NODE_MS * this.#options.nodeCount());
	}
}
