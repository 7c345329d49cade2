import { checkListener, checkTopic, unknownSocket } from '../call-checks.ts';
import type { Registry } from '../sockets/registry.ts';
import type { WebSocketConnection } from '../sockets/websocket-connection.ts';
import type { FailureLog } from '../support/failure-log.ts';
import type { Lifecycle } from '../support/lifecycle.ts';
import { toError } from '../support/promises.ts';
import { NotPresentError, PresenceNotKeptError } from './errors.ts';
import type { NodePresence } from './node-presence.ts';
import type { PresenceInfo, SocketPresence, WatchedMembers, WatchOptions } from './presence-contract.ts';
import { mustBeTold } from './provider-presence.ts';

export interface ProviderSocketPresenceOptions {
	/** Undefined if the presence of no topic is kept. */
	readonly node: NodePresence | undefined;
	readonly registry: Registry<WebSocketConnection>;
	readonly lifecycle: Lifecycle;
	readonly failures: FailureLog;
}

/** Implements {@link SocketPresence} for a provider. */
export class ProviderSocketPresence implements SocketPresence {
	readonly #options: ProviderSocketPresenceOptions;

	constructor(options: ProviderSocketPresenceOptions) {
		this.#options = options;
	}

	get isEnabled(): boolean {
		return this.#options.node !== undefined;
	}

	isKept(topic: string): boolean {
		return this.#options.node?.ruleOf(topic) !== undefined;
	}

	isWatchable(topic: string): boolean {
		const events = this.#options.node?.ruleOf(topic)?.events;
		return events !== undefined && events !== 'none';
	}

	describeBy(describe: (socket: WebSocketConnection, topic: string) => PresenceInfo | undefined): () => void {
		checkListener('describeBy()', describe);
		const { node } = this.#options;
		if (node === undefined) return () => {};
		node.describe = describe;
		return () => {
			if (node.describe === describe) node.describe = undefined;
		};
	}

	refresh(socketId: string, topic?: string): void {
		const { node, registry } = this.#options;
		const socket = registry.get(socketId);
		if (node !== undefined && socket !== undefined) node.own.members.refresh(socket, topic);
	}

	setOwnInfo(socketId: string, topic: string, own: PresenceInfo): void {
		const { node, socket } = this.#present(socketId, topic);
		node.own.members.setOwn(socket, topic, own);
	}

	infoWith(socketId: string, topic: string, own: PresenceInfo): PresenceInfo {
		const { node, socket } = this.#present(socketId, topic);
		return node.own.members.infoWith(socket, topic, own);
	}

	#present(socketId: string, topic: string): { readonly node: NodePresence; readonly socket: WebSocketConnection } {
		const node = this.#node(topic);
		const socket = this.#options.registry.get(socketId);
		if (socket === undefined) throw new NotPresentError(socketId, topic);
		return { node, socket };
	}

	/** @throws {InvalidTopicError} {PresenceNotKeptError} */
	#node(topic: string): NodePresence {
		const error = checkTopic(topic);
		if (error !== undefined) throw error;
		const { node } = this.#options;
		if (node?.ruleOf(topic) === undefined) throw new PresenceNotKeptError(topic);
		return node;
	}

	watch(
		socketId: string,
		topic: string,
		answer: (members: WatchedMembers) => void,
		options: WatchOptions = {},
	): Promise<void> {
		const { registry, lifecycle, failures } = this.#options;
		const error = lifecycle.checkSubscribing('watch()');
		if (error !== undefined) return failures.refuse(error);
		try {
			const node = this.#node(topic);
			const rule = mustBeTold(topic, node.ruleOf(topic));
			const socket = registry.get(socketId);
			if (socket === undefined) return failures.refuse(unknownSocket(socketId));
			return failures.watch(node.watchers.watch(socket, topic, rule, answer, options));
		} catch (thrown) {
			return failures.refuse(toError(thrown));
		}
	}

	page(socketId: string, topic: string, after: string): WatchedMembers | undefined {
		return this.#options.node?.watchers.page(socketId, topic, after);
	}

	unwatch(socketId: string, topic: string): void {
		this.#options.node?.watchers.unwatch(socketId, topic);
	}

	watchedBy(socketId: string): number {
		return this.#options.node?.watchers.watchedBy(socketId) ?? 0;
	}
}
