import { checkListener, checkTopic } from '../call-checks.ts';
import type { Logger } from '../logger.ts';
import { LEASE_MS } from '../nodes/lease.ts';
import type { KnownNodes, NodeDirectory, NodeInfo, NodesChange } from '../nodes/node-directory.ts';
import type { PresenceInfo } from '../presence/presence-contract.ts';
import type { InferInput, InferOutput, RequestMessage, SocketMessage } from '../protocol/message.ts';
import type { WebSocketConnection } from '../sockets/websocket-connection.ts';
import type { FailureLog } from '../support/failure-log.ts';
import type { Lifecycle } from '../support/lifecycle.ts';
import { type Action, type ActionAnswer, MAX_CONNECTIONS, readAction, readAnswer } from './ask.ts';
import { checkAction, checkAsking, checkFlag, checkNumber, checkReason, DEFAULT_TIMEOUT_MS } from './checks.ts';
import type {
	ActionOptions,
	ActionResult,
	Cluster,
	ClusterSubscribeOptions,
	ClusterUnsubscribeOptions,
	ConnectionsOptions,
	ConnectionsResult,
	CountResult,
	DisconnectOptions,
	NodeAnswers,
	NodeEmitOptions,
	NodeMessageHandler,
	NodeRequestOptions,
	Reauthorizer,
	ReauthorizeResult,
	Target,
	TimeLimit,
} from './cluster-contract.ts';
import { LateSockets } from './late-sockets.ts';
import { LocalActions, type LocalActionsOptions } from './local-actions.ts';
import { NodeLink, type NodeLinkOptions } from './node-link.ts';
import { readContent } from './node-protocol.ts';
import { NodeRequests } from './node-requests.ts';
import type { Outcome } from './question.ts';
import { Reauthorizers } from './reauthorizers.ts';
import { type Selection, targetFault } from './target.ts';

export interface ProviderClusterOptions
	extends
		Omit<LocalActionsOptions, 'reauthorizers' | 'onError'>,
		Pick<NodeLinkOptions, 'isAlone' | 'send' | 'sendToAll'> {
	readonly directory: NodeDirectory;
	readonly knownNodes: () => KnownNodes;
	readonly lifecycle: Lifecycle;
	readonly failures: FailureLog;
	readonly logger: Logger;
}

/** Implements {@link Cluster} for a provider. */
export class ProviderCluster implements Cluster {
	readonly #options: ProviderClusterOptions;
	readonly #reauthorizers: Reauthorizers;
	readonly #actions: LocalActions;
	readonly #late: LateSockets;
	readonly #link: NodeLink;
	readonly #requests: NodeRequests;

	constructor(options: ProviderClusterOptions) {
		const { failures, lifecycle } = options;
		this.#options = options;
		this.#reauthorizers = new Reauthorizers((thrown) => failures.report(thrown, 'onReauthorize'));
		this.#actions = new LocalActions({
			...options,
			reauthorizers: this.#reauthorizers,
			onError: (thrown) => failures.report(thrown, 'deliver'),
		});
		this.#late = new LateSockets((action, socket) => this.#actions.late(action, socket));
		this.#link = new NodeLink({
			...options,
			onAsk: (from, content) => this.#asked(from, content),
			onTell: (from, content) => this.#requests.told(from, content),
		});
		this.#requests = new NodeRequests(
			this.#link,
			(call) => lifecycle.check(call),
			(thrown, message) => failures.report(thrown, 'cluster.on', { message }),
		);
	}

	// Nodes

	nodes(): readonly NodeInfo[] {
		return this.#options.directory.list();
	}

	silentNodes(): readonly NodeInfo[] {
		return this.#options.directory.silent();
	}

	onNodesChange(listener: (change: NodesChange) => unknown): () => void {
		checkListener('cluster.onNodesChange()', listener);
		return this.#options.directory.onChange(listener);
	}

	// Actions on sockets

	disconnect(target: Target, options?: DisconnectOptions): Promise<ActionResult> {
		const call = 'cluster.disconnect()';
		const error =
			this.#check(call, target, options, ['code', 'message', 'reconnect']) ??
			checkReason(call, options ?? {}) ??
			checkFlag(`reconnect of ${call}`, options?.reconnect);
		if (error !== undefined) return this.#options.failures.refuse(error);
		const { code = 'disconnected', message = 'The server has disconnected you', reconnect = true } = options ?? {};
		return this.#act({ do: 'disconnect', ...selection(target, options), code, message, reconnect }, options);
	}

	subscribe(target: Target, topic: string, options?: ClusterSubscribeOptions): Promise<ActionResult> {
		const call = 'cluster.subscribe()';
		const error =
			this.#check(call, target, options, ['past']) ?? checkTopic(topic) ?? checkFlag(`past of ${call}`, options?.past);
		if (error !== undefined) return this.#options.failures.refuse(error);
		const timeoutMs = confirmationMs(options?.timeoutMs ?? DEFAULT_TIMEOUT_MS);
		const action: Action = {
			do: 'subscribe',
			...selection(target, options),
			topic,
			past: options?.past,
			timeoutMs,
		};
		return this.#act(action, options);
	}

	unsubscribe(target: Target, topic: string, options?: ClusterUnsubscribeOptions): Promise<ActionResult> {
		const call = 'cluster.unsubscribe()';
		const error =
			this.#check(call, target, options, ['code', 'message']) ?? checkTopic(topic) ?? checkReason(call, options ?? {});
		if (error !== undefined) return this.#options.failures.refuse(error);
		const { code, message } = options ?? {};
		return this.#act({ do: 'unsubscribe', ...selection(target, options), topic, code, message }, options);
	}

	reauthorize(target: Target, topic?: string, options?: ActionOptions): Promise<ReauthorizeResult> {
		const error =
			this.#check('cluster.reauthorize()', target, options, []) ?? (topic === undefined ? topic : checkTopic(topic));
		if (error !== undefined) return this.#options.failures.refuse(error);
		return this.#ask({ do: 'reauthorize', ...selection(target, options), topic }, options?.timeoutMs).then(
			(outcome) => ({
				...resultOf(outcome),
				asked: sumOf(outcome, ({ asked = 0 }) => asked),
				left: sumOf(outcome, ({ left = 0 }) => left),
			}),
		);
	}

	connections(target: Target, options?: ConnectionsOptions): Promise<ConnectionsResult> {
		const call = 'cluster.connections()';
		const error =
			this.#check(call, target, options, ['limit']) ?? checkNumber(`limit of ${call}`, options?.limit, MAX_CONNECTIONS);
		if (error !== undefined) return this.#options.failures.refuse(error);
		const { limit = DEFAULT_CONNECTIONS, timeoutMs } = options ?? {};
		return this.#ask({ do: 'connections', ...selection(target, options), limit }, timeoutMs).then((outcome) => {
			const result = resultOf(outcome);
			const all = Array.from(outcome.answers.values(), ({ connections = [] }) => connections).flat();
			const connections = all.slice(0, limit);
			return { ...result, connections, hasMore: result.sockets > connections.length };
		});
	}

	connectionCount(options?: TimeLimit): Promise<CountResult> {
		const { lifecycle, failures, directory, registry, knownNodes } = this.#options;
		const call = 'cluster.connectionCount()';
		const error = lifecycle.check(call) ?? checkAsking(call, options, []);
		if (error !== undefined) return failures.refuse(error);
		const areKnown = knownNodes();
		if (areKnown === 'unknown') return this.#count('all', undefined, options);
		const { count, nodes, unknown } = directory.connections(LEASE_MS);
		const unanswered = directory.silent().map(({ id }) => id);
		const known = { count: count + registry.socketCount, answered: nodes + 1, unanswered };
		return this.#count(unknown, undefined, options).then((rest) => {
			const answered = known.answered + rest.answered;
			const unanswered = [...known.unanswered, ...rest.unanswered];
			const all = answered + unanswered.length + (areKnown === 'some' && unanswered.length === 0 ? 1 : 0);
			return { count: known.count + rest.count, nodes: all, answered, unanswered, isPartial: answered < all };
		});
	}

	subscriberCount(topic: string, options?: TimeLimit): Promise<CountResult> {
		const call = 'cluster.subscriberCount()';
		const error = this.#options.lifecycle.check(call) ?? checkTopic(topic) ?? checkAsking(call, options, []);
		return error === undefined ? this.#count('all', topic, options) : this.#options.failures.refuse(error);
	}

	#count(
		to: 'all' | readonly string[],
		topic: string | undefined,
		options: TimeLimit | undefined,
	): Promise<CountResult> {
		return this.#ask({ do: 'count', topic }, options?.timeoutMs, to).then((outcome) => {
			const { sockets: count, nodes, answered, unanswered } = resultOf(outcome);
			return { count, nodes, answered, unanswered, isPartial: answered < nodes };
		});
	}

	#check(
		call: string,
		target: unknown,
		options: ActionOptions | undefined,
		names: readonly string[],
	): Error | undefined {
		return this.#options.lifecycle.check(call) ?? targetFault(target) ?? checkAction(call, options, names);
	}

	#act(action: Action, options: ActionOptions | undefined): Promise<ActionResult> {
		return this.#ask(action, options?.timeoutMs).then(resultOf);
	}

	/** @param to by default, all nodes, this one included */
	#ask(
		action: Action,
		timeoutMs = DEFAULT_TIMEOUT_MS,
		to: 'all' | readonly string[] = 'all',
	): Promise<Outcome<ActionAnswer>> {
		return this.#link.ask<ActionAnswer>({
			to,
			content: JSON.stringify(action),
			timeoutMs,
			read: (_, content) => {
				const answer = readContent(content);
				return answer === undefined ? undefined : readAnswer(answer);
			},
			local: to === 'all' ? () => this.#do(action) : undefined,
		});
	}

	// Asynchronous, so that it never throws.
	async #do(action: Action): Promise<ActionAnswer> {
		this.#late.keep(action);
		return this.#actions.run(action);
	}

	/** Called when another node asks. Never rejects. */
	async #asked(from: string, content: string): Promise<string | undefined> {
		const asked = readContent(content);
		if (asked === undefined) return undefined;
		if (asked['do'] === 'message') return this.#requests.asked(from, content);
		const action = readAction(asked);
		if (action === undefined) return undefined;
		try {
			return JSON.stringify(await this.#do(action));
		} catch {
			return undefined;
		}
	}

	// Messages between nodes

	on<TMessage extends SocketMessage>(message: TMessage, handler: NodeMessageHandler<TMessage>): () => void {
		return this.#requests.on(message, handler);
	}

	emit<TMessage extends SocketMessage>(
		message: TMessage,
		data: InferInput<TMessage['data']>,
		options?: NodeEmitOptions,
	): Promise<void> {
		return this.#options.failures.watch(this.#requests.emit(message, data, options));
	}

	request<TMessage extends RequestMessage>(
		message: TMessage,
		data: InferInput<TMessage['data']>,
		options?: NodeRequestOptions,
	): Promise<NodeAnswers<InferOutput<TMessage['reply']>>> {
		return this.#options.failures.watch(this.#requests.request(message, data, options));
	}

	// For the provider

	/** Called with a text of another node that begins with {@link NODE_TEXT_PREFIX}. Never throws. */
	receive(text: string): void {
		this.#link.receive(text);
	}

	/**
	 * Sets properties of a member's info in a topic, on all nodes, and removes those that are undefined. The arguments
	 * must be valid.
	 */
	updatePresence(topic: string, key: string, change: PresenceInfo): Promise<ActionResult> {
		const names = Object.keys(change);
		const unset = names.filter((name) => change[name] === undefined);
		return this.#act({ do: 'presence', topic, key, set: change, unset }, undefined);
	}

	/** Called when a socket has been added. */
	added(socket: WebSocketConnection): void {
		this.#late.added(socket);
	}

	/** Sets how long the guards of a server may take, in milliseconds. Of several servers, the longest counts. */
	setGuardTimeout(ms: number): void {
		this.#late.setGuardTimeout(ms);
	}

	/** See {@link WebSocketProvider.onReauthorize}. */
	onReauthorize(reauthorizer: Reauthorizer): () => void {
		checkListener('onReauthorize()', reauthorizer);
		return this.#reauthorizers.add(reauthorizer);
	}

	/** Called when the provider stops. */
	stop(): void {
		this.#link.stop();
	}
}

const DEFAULT_CONNECTIONS = 100;
/** The share of the time limit that is left for the answer to arrive, and the most, in milliseconds. */
const ANSWER_SHARE = 0.2;
const MAX_ANSWER_MS = 500;

/** How long a node may wait for the backend, so that its answer still arrives in time, in milliseconds. */
function confirmationMs(timeoutMs: number): number {
	return timeoutMs - Math.min(timeoutMs * ANSWER_SHARE, MAX_ANSWER_MS);
}

function selection(target: Target, options: ActionOptions | undefined): Selection {
	const except = options?.except ?? [];
	return {
		// The caller may change them later.
		target: target === 'all' ? target : { ...target },
		except: typeof except === 'string' ? [except] : [...except],
	};
}

function resultOf(outcome: Outcome<ActionAnswer>): ActionResult {
	const { nodes, answers, unanswered } = outcome;
	return { nodes, answered: answers.size, unanswered, sockets: sumOf(outcome, ({ sockets }) => sockets) };
}

function sumOf({ answers }: Outcome<ActionAnswer>, of: (answer: ActionAnswer) => number): number {
	let sum = 0;
	for (const answer of answers.values()) sum += of(answer);
	return sum;
}
