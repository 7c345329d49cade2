import type { Logger } from '../logger.ts';
import type { NodeDirectory } from '../nodes/node-directory.ts';
import { encodeNodeText, NODE_VERSION, type NodeText, type NodeTextKind, readNodeText } from './node-protocol.ts';
import type { Outcome } from './question.ts';
import { Questions } from './questions.ts';

export interface NodeLinkOptions {
	/** The id of this node. */
	readonly nodeId: string;
	/** Whether there is no backend, and so no other node. */
	readonly isAlone: boolean;
	readonly directory: NodeDirectory;
	readonly logger: Logger;
	/** Sends a text to one node. Resolves with the number of nodes that have received it, if known. */
	readonly send: (nodeId: string, text: string) => Promise<number | undefined>;
	/** Sends a text to all nodes, in order with broadcasts. Resolves with that number, which includes this node. */
	readonly sendToAll: (text: string) => Promise<number | undefined>;
	/**
	 * Called when a node asks. Resolves with the content of the answer; undefined if this node
	 * can't say what it has done. Never rejects.
	 */
	readonly onAsk: (from: string, content: string) => Promise<string | undefined>;
	/** Called when a node has sent a text that has no answer. */
	readonly onTell: (from: string, content: string) => void;
}

export interface NodeQuestion<TAnswer> {
	readonly to: 'all' | 'others' | readonly string[];
	readonly content: string;
	readonly timeoutMs: number;
	readonly read: (nodeId: string, content: string) => TAnswer | undefined;
	readonly ofOtherVersion?: (nodeId: string, version: number) => TAnswer;
	/** Answers for this node itself; undefined if it is not asked. Resolves with undefined if it can't say. */
	readonly local: (() => Promise<TAnswer | undefined>) | undefined;
}

/** The maximum number of nodes of which it is remembered that another version was logged. */
const MAX_LOGGED = 1_000;

/** Asks other nodes and answers them. */
export class NodeLink {
	readonly #options: NodeLinkOptions;
	readonly #questions: Questions;
	/** The nodes and versions that have been logged. */
	readonly #logged = new Set<string>();
	#hasSkipped = false;

	constructor(options: NodeLinkOptions) {
		this.#options = options;
		this.#questions = new Questions(options.nodeId);
		options.directory.onChange((change) => this.#questions.nodesChanged(change));
	}

	/** The id of this node. */
	get nodeId(): string {
		return this.#options.nodeId;
	}

	/** Sends a text to one other node. */
	send(to: string, kind: NodeTextKind, number: number, content?: string): Promise<number | undefined> {
		return this.#options.send(to, encodeNodeText(kind, this.nodeId, number, content));
	}

	/** Sends a text to all other nodes. */
	sendToAll(kind: NodeTextKind, number: number, content?: string): Promise<number | undefined> {
		return this.#options.sendToAll(encodeNodeText(kind, this.nodeId, number, content));
	}

	/** Asks nodes. Resolves with what they have answered in time. Never rejects. */
	ask<TAnswer>({ to, content, local, ...asking }: NodeQuestion<TAnswer>): Promise<Outcome<TAnswer>> {
		const { nodeId, isAlone, directory } = this.#options;
		const isToAll = to === 'all' || to === 'others';
		const silent = directory.silent().map(({ id }) => id);
		const known = isToAll ? directory.list().map(({ id }) => id) : to;
		const others = known.filter((id) => id !== nodeId && !silent.includes(id));
		return this.#questions.ask<TAnswer>({
			...asking,
			expected: local === undefined ? others : [nodeId, ...others],
			silent: isToAll ? silent : known.filter((id) => silent.includes(id)),
			uncounted: local === undefined ? 1 : 0,
			isToUnknown: isToAll && !isAlone,
			send: async (number, question) => {
				const answered = local?.().then(
					(answer) => (answer === undefined ? question.failed(nodeId) : question.answer(nodeId, answer)),
					() => question.failed(nodeId),
				);
				void answered;
				if (isToAll) return this.sendToAll('ask', number, content);
				await Promise.all(
					others.map(async (id) => {
						const nodes = await this.send(id, 'ask', number, content).catch(() => 0);
						// It has not been received, so no answer will come.
						if (nodes === 0) question.silent(id);
					}),
				);
				return undefined;
			},
		});
	}

	/** Called with a text of another node that begins with {@link NODE_TEXT_PREFIX}. Never throws. */
	receive(text: string): void {
		const read = readNodeText(text);
		if (read === undefined) return this.#skip();
		const { version, kind, from, number, content } = read;
		// This node sends none to itself.
		if (from === this.nodeId) return this.#skip();
		if (kind === 'version') {
			this.#questions.otherVersion(number, from, version);
			this.#otherVersion(read);
		} else if (version !== NODE_VERSION) {
			if (kind === 'ask') this.#answer(from, 'version', number);
			this.#otherVersion(read);
		} else if (kind === 'ask') {
			void this.#asked(read);
		} else if (kind === 'answer') {
			this.#questions.answered(number, from, content);
		} else if (kind === 'failed') {
			this.#questions.failed(number, from);
		} else if (kind === 'tell') {
			this.#options.onTell(from, content);
		} else {
			this.#skip();
		}
	}

	async #asked({ from, number, content }: NodeText): Promise<void> {
		const answer = await this.#options.onAsk(from, content);
		this.#answer(from, answer === undefined ? 'failed' : 'answer', number, answer);
	}

	/** If the answer gets lost, the other node will say that this one has not answered. */
	#answer(to: string, kind: NodeTextKind, number: number, content?: string): void {
		this.send(to, kind, number, content).catch(() => {});
	}

	#otherVersion({ from, version }: NodeText): void {
		if (version === NODE_VERSION) return;
		const key = `${from} ${version}`;
		if (this.#logged.has(key) || this.#logged.size >= MAX_LOGGED) return;
		this.#logged.add(key);
		this.#options.logger.warn(
			`A node speaks version ${version} of the protocol between nodes, and this one version ${NODE_VERSION}: they don't act on each other's sockets. This is logged once`,
			{ nodeId: from },
		);
	}

	#skip(): void {
		if (this.#hasSkipped) return;
		this.#hasSkipped = true;
		this.#options.logger.warn('Skipping unreadable texts between nodes. This is logged only once');
	}

	/** Called when the provider stops: no answer is waited for any longer. */
	stop(): void {
		this.#questions.stop();
	}
}
