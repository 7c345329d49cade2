/** What came of a question. */
export interface Outcome<TAnswer> {
	/** The number of nodes that were asked, this one included. */
	readonly nodes: number;
	/** By the id of the node. */
	readonly answers: ReadonlyMap<string, TAnswer>;
	/** The ids of nodes that have not answered. */
	readonly unanswered: readonly string[];
}

export interface QuestionOptions<TAnswer> {
	/** The id of this node. */
	readonly self: string;
	/** Of the nodes that are expected to answer, this one included if it is asked as well. */
	readonly expected: Iterable<string>;
	/** Of nodes that have fallen silent: they may receive the question, but are not waited for. */
	readonly silent: Iterable<string>;
	/** The number of nodes that receive everything that is sent to all, but are not asked: 1 if this node is not. */
	readonly uncounted: number;
	/** Whether nodes that are not known here receive the question as well. */
	readonly isToUnknown: boolean;
	readonly timeoutMs: number;
	readonly onDone: (outcome: Outcome<TAnswer>) => void;
}

/**
 * How long to wait once all nodes that are known have answered, but more have received the question, in milliseconds.
 * They may be nodes that have just started, which become known in this time; or nodes that have fallen silent; or
 * connections that the backend does not know to be dead, such as the former ones of nodes that have reconnected.
 */
const UNKNOWN_MS = 1_000;

/** One question to several nodes, and their answers. */
export class Question<TAnswer> {
	readonly #options: QuestionOptions<TAnswer>;
	readonly #answers = new Map<string, TAnswer>();
	/** The nodes that are waited for. */
	readonly #expected: Set<string>;
	/** The nodes that have fallen silent and have not answered. They are not waited for. */
	readonly #silent: Set<string>;
	/** The nodes that have answered that they can't say what they have done. */
	readonly #failed = new Set<string>();
	/** The nodes that have become known meanwhile, and may have received the question. */
	readonly #joined = new Set<string>();
	readonly #timer: ReturnType<typeof setTimeout>;
	#unknownTimer: ReturnType<typeof setTimeout> | undefined;
	/** The number of nodes that have received the question, as far as the backend can tell. */
	#received = 0;
	#isSending = true;
	/** Whether the backend has accepted the question, so that it is known how many have received it. */
	#isSent = false;
	#isDone = false;

	constructor(options: QuestionOptions<TAnswer>) {
		this.#options = options;
		this.#expected = new Set(options.expected);
		this.#silent = new Set(options.silent);
		this.#timer = setTimeout(() => this.finish(), options.timeoutMs);
	}

	/** Called when the backend has accepted the question. @param nodes how many have received it, if known */
	sent(nodes: number | undefined): void {
		this.#isSending = false;
		this.#isSent = true;
		this.#received = (nodes ?? 0) - this.#options.uncounted;
		this.#check();
	}

	/** Called when the backend has not accepted the question. Only this node is waited for. */
	unsent(): void {
		for (const nodeId of this.#expected) if (nodeId !== this.#options.self) this.#silent.add(nodeId);
		const isSelfExpected = this.#expected.has(this.#options.self);
		this.#expected.clear();
		if (isSelfExpected) this.#expected.add(this.#options.self);
		this.#isSending = false;
		this.#check();
	}

	answer(nodeId: string, answer: TAnswer): void {
		if (this.#isDone || this.#answers.has(nodeId)) return;
		this.#heard(nodeId);
		this.#answers.set(nodeId, answer);
		this.#check();
	}

	/** Called when a node has answered that it can't say what it has done. */
	failed(nodeId: string): void {
		if (this.#isDone || this.#answers.has(nodeId)) return;
		this.#heard(nodeId);
		this.#failed.add(nodeId);
		this.#check();
	}

	#heard(nodeId: string): void {
		this.#expected.delete(nodeId);
		this.#silent.delete(nodeId);
		this.#joined.delete(nodeId);
	}

	/** Called when a node has fallen silent. */
	silent(nodeId: string): void {
		if (this.#isDone || !this.#expected.delete(nodeId)) return;
		this.#silent.add(nodeId);
		this.#check();
	}

	/** Called when a node has become known, or is back. */
	joined(nodeId: string): void {
		if (this.#isDone || this.#expected.has(nodeId) || this.#answers.has(nodeId) || this.#failed.has(nodeId)) return;
		this.#joined.add(nodeId);
		this.#check();
	}

	/** Called when a node has stopped: there is nothing left on which it could do anything. */
	stopped(nodeId: string): void {
		if (this.#isDone) return;
		this.#joined.delete(nodeId);
		if (!this.#expected.delete(nodeId) && !this.#silent.delete(nodeId) && !this.#failed.delete(nodeId)) return;
		this.#received--;
		this.#check();
	}

	/** Waits no longer. */
	finish(): void {
		if (this.#isDone) return;
		this.#isDone = true;
		clearTimeout(this.#timer);
		clearTimeout(this.#unknownTimer);
		const unanswered = [...this.#expected, ...this.#silent, ...this.#failed];
		const { self, isToUnknown, onDone } = this.#options;
		const known = this.#answers.size + unanswered.length;
		// While the backend is away, there may be nodes that are not known: it must not look as if all had answered.
		const isOneUnknown = isToUnknown && !this.#isSent && unanswered.every((nodeId) => nodeId === self);
		const nodes = isOneUnknown ? known + 1 : Math.max(known, this.#received);
		onDone({ nodes, answers: this.#answers, unanswered });
	}

	#check(): void {
		if (this.#isDone || this.#isSending || this.#expected.size > 0) return;
		const missing = this.#received - this.#answers.size - this.#failed.size;
		if (missing <= 0) return this.finish();
		if (this.#joined.size === 0) {
			this.#unknownTimer ??= setTimeout(() => this.finish(), UNKNOWN_MS);
			return;
		}
		clearTimeout(this.#unknownTimer);
		this.#unknownTimer = undefined;
		for (const nodeId of this.#joined) {
			this.#silent.delete(nodeId);
			this.#expected.add(nodeId);
		}
		this.#joined.clear();
	}
}
