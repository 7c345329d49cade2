import { checkListener, checkNode, checkOptions } from '../call-checks.ts';
import { InvalidOptionError } from '../errors.ts';
import { restoreValues } from '../protocol/carried-values.ts';
import { encodeFrame } from '../protocol/encode-frame.ts';
import { validateReply, validateToSend } from '../protocol/envelope.ts';
import { InvalidMessageDefinitionError } from '../protocol/errors.ts';
import { mustBeDefinition, type RequestMessage, type SocketMessage } from '../protocol/message.ts';
import { CallOrder } from '../support/call-order.ts';
import { DONE, toError, within } from '../support/promises.ts';
import { show } from '../support/show.ts';
import { checkAsking, DEFAULT_TIMEOUT_MS } from './checks.ts';
import type { NodeAnswers, NodeEmitOptions, NodeMessageHandler, NodeRequestOptions } from './cluster-contract.ts';
import { NoHandlerError, NodeRequestError, NodeVersionError, SchemaTimeoutError } from './errors.ts';
import { NO_HANDLER, type NodeFault, NodeHandlers } from './node-handlers.ts';
import type { NodeLink } from './node-link.ts';
import { NODE_VERSION, readContent } from './node-protocol.ts';
import type { Outcome } from './question.ts';

/** A message to nodes, as the content of a text. */
interface SentMessage {
	readonly name: string;
	readonly data: unknown;
}

type NodeSet = 'all' | 'others' | readonly string[];

/** The answer of one node to a request. */
type RawAnswer = { readonly data: unknown } | { readonly error: NodeFault } | { readonly version: number };

/** Typed messages from node to node. */
export class NodeRequests {
	readonly #link: NodeLink;
	readonly #check: (call: string) => Error | undefined;
	readonly #handlers: NodeHandlers;
	/** Keeps messages in the order of the calls, although they are validated. */
	readonly #order = new CallOrder<string>();

	/**
	 * @param check returns why a call can't be carried out now; undefined if it can
	 * @param onError called when a handler has failed
	 */
	constructor(
		link: NodeLink,
		check: (call: string) => Error | undefined,
		onError: (thrown: unknown, messageName: string) => void,
	) {
		this.#link = link;
		this.#check = check;
		this.#handlers = new NodeHandlers(onError);
	}

	/** See {@link Cluster.on}. */
	on<TMessage extends SocketMessage>(message: TMessage, handler: NodeMessageHandler<TMessage>): () => void {
		checkListener('cluster.on()', handler);
		return this.#handlers.add(message, handler);
	}

	/** See {@link Cluster.emit}. */
	async emit(message: SocketMessage, data: unknown, options: NodeEmitOptions | undefined): Promise<void> {
		const call = 'cluster.emit()';
		mustBeValid(this.#check(call) ?? checkOptions(call, options, ['to']));
		const to = readTo(call, options?.to);
		const content = encodeMessage(message, data);
		const sending = this.#order.run('', checked(message, data, DEFAULT_TIMEOUT_MS), () => {
			// The provider may have been stopped meanwhile.
			mustBeValid(this.#check(call));
			return { sent: this.#tell(to, content) };
		});
		await ('sent' in sending ? sending : await sending).sent;
	}

	async #tell(to: NodeSet, content: string): Promise<void> {
		const { nodeId } = this.#link;
		if (isForSelf(to, nodeId)) this.told(nodeId, content);
		if (to === 'all' || to === 'others') return void (await this.#link.sendToAll('tell', 0, content));
		const others = new Set(to);
		others.delete(nodeId);
		await Promise.all(Array.from(others, (each) => this.#link.send(each, 'tell', 0, content)));
	}

	/** See {@link Cluster.request}. */
	async request(
		message: RequestMessage,
		data: unknown,
		options: NodeRequestOptions | undefined,
	): Promise<NodeAnswers<unknown>> {
		const call = 'cluster.request()';
		mustBeValid(this.#check(call) ?? checkAsking(call, options, ['to']));
		const to = readTo(call, options?.to);
		if (mustBeDefinition(message).reply === undefined)
			throw new InvalidMessageDefinitionError(`${message.name} has no reply, so it is no request: emit it instead`);
		const content = encodeMessage(message, data);
		const { timeoutMs = DEFAULT_TIMEOUT_MS } = options ?? {};
		const until = performance.now() + timeoutMs;
		const asking = this.#order.run('', checked(message, data, timeoutMs), () => {
			mustBeValid(this.#check(call));
			return { asked: this.#ask(to, content, leftUntil(until)) };
		});
		const outcome = await ('asked' in asking ? asking : await asking).asked;
		return readAnswers(message, outcome, leftUntil(until));
	}

	#ask(to: NodeSet, content: string, timeoutMs: number): Promise<Outcome<RawAnswer>> {
		const { nodeId } = this.#link;
		const read = (_: string, answer: string): RawAnswer | undefined => readRawAnswer(answer);
		const ofOtherVersion = (_: string, version: number): RawAnswer => ({ version });
		const local = isForSelf(to, nodeId) ? () => this.#answerSelf(content) : undefined;
		return this.#link.ask({ to, content, timeoutMs, read, ofOtherVersion, local });
	}

	async #answerSelf(content: string): Promise<RawAnswer | undefined> {
		const answer = await this.asked(this.#link.nodeId, content);
		return answer === undefined ? undefined : readRawAnswer(answer);
	}

	/** Called when a node has sent a message that has no answer. Never throws. */
	told(from: string, content: string): void {
		const message = readMessage(content);
		if (message !== undefined) this.#handlers.deliver(message.name, message.data, from);
	}

	/**
	 * Called when a node has sent a request. Resolves with the content of the answer; undefined if the request can't be
	 * read. Never rejects.
	 */
	async asked(from: string, content: string): Promise<string | undefined> {
		const message = readMessage(content);
		return message === undefined ? undefined : this.#handlers.answer(message.name, message.data, from);
	}
}

/** Encodes a message at once, because the caller may change its data while it is validated. */
function encodeMessage(message: SocketMessage, data: unknown): string {
	const { name } = mustBeDefinition(message);
	return encodeFrame(name, { do: 'message', name, data });
}

/** The other node validates the data again, and gets what its schema makes of it. So this only checks it. */
function checked(message: SocketMessage, data: unknown, timeoutMs: number): true | Promise<true> {
	const valid: unknown = validateToSend(message, data);
	if (!(valid instanceof Promise)) return true;
	const late = (): Error => new SchemaTimeoutError(message.name, timeoutMs);
	return within(
		timeoutMs,
		valid.then(() => true as const),
		late,
	);
}

/** Returns the time that is left, in milliseconds, for a timer. */
function leftUntil(until: number): number {
	return Math.max(1, Math.ceil(until - performance.now()));
}

function readTo(call: string, to: unknown): NodeSet {
	if (to === undefined) return 'others';
	if (to === 'all' || to === 'others') return to;
	if (typeof to === 'string') {
		mustBeValid(checkNode(to));
		return [to];
	}
	if (!Array.isArray(to))
		throw new InvalidOptionError(
			`to of ${call} must be 'all', 'others', the id of a node or an array of such, not ${show(to)}`,
		);
	for (const nodeId of to) mustBeValid(checkNode(nodeId));
	return [...to];
}

function isForSelf(to: NodeSet, self: string): boolean {
	return to === 'all' || (to !== 'others' && to.includes(self));
}

function mustBeValid(error: Error | undefined): void {
	if (error !== undefined) throw error;
}

function readMessage(content: string): SentMessage | undefined {
	const message = restored(content);
	return typeof message?.['name'] === 'string' ? (message as unknown as SentMessage) : undefined;
}

function readRawAnswer(content: string): RawAnswer | undefined {
	const answer = restored(content);
	if (answer === undefined) return undefined;
	const { data, error } = answer as { readonly data?: unknown; readonly error?: Partial<NodeFault> | null };
	if (error === undefined) return { data };
	const { code, message } = error ?? {};
	if (typeof code !== 'string' || typeof message !== 'string') return undefined;
	return { error: { code, message } };
}

function restored(content: string): Readonly<Record<string, unknown>> | undefined {
	const frame = readContent(content);
	try {
		if (frame !== undefined) restoreValues(frame);
		return frame;
	} catch {
		return undefined;
	}
}

async function readAnswers(
	message: RequestMessage,
	{ nodes, answers: raw, unanswered }: Outcome<RawAnswer>,
	timeoutMs: number,
): Promise<NodeAnswers<unknown>> {
	const late = (): Error => new SchemaTimeoutError(message.name, timeoutMs);
	const answers = new Map<string, unknown>();
	const errors = new Map<string, Error>();
	const { name } = message;
	const read = Array.from(raw, async ([nodeId, answer]) => {
		if ('version' in answer) {
			errors.set(nodeId, new NodeVersionError(nodeId, answer.version, NODE_VERSION));
		} else if ('error' in answer) {
			const { code, message: text } = answer.error;
			errors.set(
				nodeId,
				code === NO_HANDLER ? new NoHandlerError(nodeId, name) : new NodeRequestError(nodeId, name, code, text),
			);
		} else {
			try {
				const reply = Promise.resolve(validateReply(message, answer.data));
				answers.set(nodeId, await within(timeoutMs, reply, late));
			} catch (thrown) {
				errors.set(nodeId, new NodeRequestError(nodeId, name, 'invalid_reply', toError(thrown).message));
			}
		}
	});
	await (read.length === 0 ? DONE : Promise.all(read));
	return { nodes, answered: raw.size, unanswered, answers, errors };
}
