import type { NodesChange } from '../nodes/node-directory.ts';
import { type Outcome, Question } from './question.ts';

export interface Asking<TAnswer> {
	/** See {@link Question}. */
	readonly expected: Iterable<string>;
	readonly silent: Iterable<string>;
	readonly uncounted: number;
	readonly isToUnknown: boolean;
	readonly timeoutMs: number;
	/** Reads the answer of a node; undefined if it can't be read. */
	readonly read: (nodeId: string, content: string) => TAnswer | undefined;
	/** Returns the answer that a node of another version counts as; undefined if it counts as none. */
	readonly ofOtherVersion?: (nodeId: string, version: number) => TAnswer;
	/**
	 * Sends the question. Resolves with the number of nodes that have received it, if known. Rejects if the backend has
	 * not accepted a question to all nodes.
	 */
	readonly send: (number: number, question: Question<TAnswer>) => Promise<number | undefined>;
}

interface Pending {
	readonly question: Question<unknown>;
	readonly asking: Asking<unknown>;
}

/** The questions that this node has asked and that have not been answered by all. */
export class Questions {
	readonly #pending = new Map<number, Pending>();
	readonly #self: string;
	#lastNumber = 0;

	/** @param self the id of this node */
	constructor(self: string) {
		this.#self = self;
	}

	/** Resolves with what the nodes have answered in time. Never rejects. */
	ask<TAnswer>(asking: Asking<TAnswer>): Promise<Outcome<TAnswer>> {
		const number = ++this.#lastNumber;
		const { promise, resolve } = Promise.withResolvers<Outcome<TAnswer>>();
		const onDone = (outcome: Outcome<TAnswer>): void => {
			this.#pending.delete(number);
			resolve(outcome);
		};
		const question = new Question<TAnswer>({ ...asking, self: this.#self, onDone });
		this.#pending.set(number, { question, asking } as unknown as Pending);
		asking.send(number, question).then(
			(nodes) => question.sent(nodes),
			// The backend is away. What other nodes have received is unknown.
			() => question.unsent(),
		);
		return promise;
	}

	/** Called when a node has answered. */
	answered(number: number, nodeId: string, content: string): void {
		const { question, asking } = this.#pending.get(number) ?? {};
		const answer = asking?.read(nodeId, content);
		if (answer === undefined) question?.failed(nodeId);
		else question?.answer(nodeId, answer);
	}

	/** Called when a node has answered that it can't say what it has done. */
	failed(number: number, nodeId: string): void {
		this.#pending.get(number)?.question.failed(nodeId);
	}

	/** Called when a node does not know this node's version. */
	otherVersion(number: number, nodeId: string, version: number): void {
		const { question, asking } = this.#pending.get(number) ?? {};
		const answer = asking?.ofOtherVersion?.(nodeId, version);
		if (answer === undefined) question?.failed(nodeId);
		else question?.answer(nodeId, answer);
	}

	/** Called when nodes have become known, have stopped or have fallen silent. */
	nodesChanged({ joined, left }: NodesChange): void {
		for (const { question } of this.#pending.values()) {
			for (const { id } of joined) question.joined(id);
			for (const { id, why } of left) {
				if (why === 'stopped') question.stopped(id);
				else question.silent(id);
			}
		}
	}

	/** Called when the provider stops: no answer is waited for any longer. */
	stop(): void {
		for (const { question } of this.#pending.values()) question.finish();
	}
}
