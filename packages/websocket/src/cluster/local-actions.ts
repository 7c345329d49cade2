import type { Membership } from '../membership/membership.ts';
import { unsubscriptionOf } from '../membership/unsubscription.ts';
import { encodeDisconnectedNotice } from '../protocol/built-in.ts';
import { CloseCode, withRetryHint } from '../protocol/closing.ts';
import type { LocalFanout } from '../sockets/local-fanout.ts';
import type { Registry } from '../sockets/registry.ts';
import { isSpeaker, type WebSocketConnection } from '../sockets/websocket-connection.ts';
import { DONE, settledWithin } from '../support/promises.ts';
import type {
	Action,
	ActionAnswer,
	Change,
	Connections,
	Count,
	Disconnect,
	Subscribe,
	Unsubscribe,
	UpdatePresence,
} from './ask.ts';
import type { PresenceInfo } from '../presence/presence-contract.ts';
import type { ConnectionInfo } from './cluster-contract.ts';
import type { Reauthorizers } from './reauthorizers.ts';
import { inSlices } from './slices.ts';
import { socketsOf } from './target.ts';

export interface LocalActionsOptions {
	readonly nodeId: string;
	readonly registry: Registry<WebSocketConnection>;
	readonly membership: Membership;
	readonly local: LocalFanout;
	readonly reauthorizers: Reauthorizers;
	/**
	 * Sets properties of the info that a member of this node has in a topic, and removes those that are undefined.
	 * Returns the number of its sockets. Undefined if presence is not kept.
	 */
	readonly updatePresence: ((topic: string, key: string, change: PresenceInfo) => number) | undefined;
	/** Called when something that an action calls on a socket has thrown. */
	readonly onError: (thrown: unknown) => void;
}

/** The maximum number of topics that are listed for one connection. */
const MAX_TOPICS = 100;
/** The size above which no further connections are described in one answer, in characters. */
const MAX_ANSWER_SIZE = 4 * 1024 * 1024;
/** The size of the description of a connection, without its topics, is about this, in characters. */
const INFO_SIZE = 300;
/**
 * Clients that are to come back are spread over a period that grows with the number of those that this node disconnects
 * at a time: 500 clients per second.
 */
const SPREAD_MS_EACH = 2;
/** How long to wait until what clients have asked for is decided again, in milliseconds. */
const DECIDED_MS = 1_000;
/** A client that comes back in the same millisecond would look as if it had been there before the action. */
const SHORTEST_DELAY_MS = 50;
const SHORTEST_SPREAD_MS = 500;
const LONGEST_SPREAD_MS = 30_000;

/** Does actions on the sockets of this node. */
export class LocalActions {
	readonly #options: LocalActionsOptions;
	/** Pending while an action is being done on many sockets: the next one waits, so that they keep their order. */
	#running: Promise<void> | undefined;

	constructor(options: LocalActionsOptions) {
		this.#options = options;
	}

	/** Resolves once the action is done, at once for a few sockets. Rejects if that is unknown. */
	run(action: Action): Promise<ActionAnswer> {
		switch (action.do) {
			case 'connections':
				return Promise.resolve(this.#connections(action));
			case 'count':
				return Promise.resolve(this.#count(action));
			case 'presence':
				return Promise.resolve(this.#updatePresence(action));
			case 'reauthorize':
				return this.#options.reauthorizers.ask(socketsOf(this.#options.registry, action), action.topic);
			default:
				return this.#change(action, () => socketsOf(this.#options.registry, action));
		}
	}

	/** Does an action on one socket that was added after it. Disconnects at once. */
	late(action: Change, socket: WebSocketConnection): void {
		if (action.do !== 'disconnect') return void this.#change(action, () => [socket]);
		try {
			this.#end(action, encodeDisconnectedNotice(action), socket, 1);
		} catch (thrown) {
			this.#options.onError(thrown);
		}
	}

	#change(action: Change, sockets: () => readonly WebSocketConnection[]): Promise<ActionAnswer> {
		if (action.do === 'disconnect') return this.#disconnect(action, sockets);
		return action.do === 'subscribe' ? this.#subscribe(action, sockets) : this.#unsubscribe(action, sockets);
	}

	/**
	 * Calls `act` for each socket that is still connected when its turn comes. Resolves once that is done.
	 *
	 * @param sockets called once earlier actions are done
	 */
	#each(
		sockets: () => readonly WebSocketConnection[],
		act: (socket: WebSocketConnection, count: number) => void,
	): Promise<void> {
		const { registry, onError } = this.#options;
		const run = (): Promise<void> => {
			const all = sockets();
			return inSlices(all, (socket) => {
				if (registry.get(socket.data.socketId) !== socket) return;
				try {
					act(socket, all.length);
				} catch (thrown) {
					// The action must be done on the other sockets all the same.
					onError(thrown);
				}
			});
		};
		const done = this.#running === undefined ? run() : this.#running.then(run);
		if (done === DONE) return done;
		this.#running = done;
		void done.then(() => {
			if (this.#running === done) this.#running = undefined;
		});
		return done;
	}

	async #disconnect(action: Disconnect, sockets: () => readonly WebSocketConnection[]): Promise<ActionAnswer> {
		const notice = encodeDisconnectedNotice(action);
		let met = 0;
		await this.#each(sockets, (socket, count) => {
			if (socket.readyState !== WebSocket.OPEN) return;
			met++;
			this.#end(action, notice, socket, count);
		});
		return { sockets: met };
	}

	/** @param count how many clients are disconnected at a time */
	#end({ code, reconnect }: Disconnect, notice: string, socket: WebSocketConnection, count: number): void {
		if (isSpeaker(socket)) this.#options.local.lastToSocket(socket, notice);
		if (reconnect) socket.close(CloseCode.reconnect, withRetryHint(code, randomDelay(count)));
		else socket.close(CloseCode.disconnected, code);
	}

	async #subscribe(action: Subscribe, sockets: () => readonly WebSocketConnection[]): Promise<ActionAnswer> {
		const { registry, membership } = this.#options;
		const { topic, past, timeoutMs } = action;
		const options = past === undefined ? undefined : { past };
		const pending: Promise<void>[] = [];
		let met = 0;
		await this.#each(sockets, (socket) => {
			const subscribed = membership.subscribe(socket, topic, options);
			// Also resolves if the socket is unsubscribed or closed meanwhile.
			const confirmed = (): void => {
				if (registry.get(socket.data.socketId) === socket && socket.data.topics.has(topic)) met++;
			};
			if (subscribed === DONE) confirmed();
			else pending.push(subscribed.then(confirmed, () => {}));
		});
		if (pending.length > 0) await settledWithin(timeoutMs, Promise.all(pending));
		return { sockets: met };
	}

	async #unsubscribe(action: Unsubscribe, sockets: () => readonly WebSocketConnection[]): Promise<ActionAnswer> {
		const { membership, reauthorizers } = this.#options;
		const { topic } = action;
		const why = unsubscriptionOf(topic, given(action));
		const others: WebSocketConnection[] = [];
		let met = 0;
		await this.#each(sockets, (socket) => {
			if (!socket.data.topics.has(topic)) return void others.push(socket);
			met++;
			membership.unsubscribe(socket, topic, why);
		});
		// Their clients may have asked for the topic, and what is about to let them in may no longer be true.
		if (others.length > 0) await settledWithin(DECIDED_MS, reauthorizers.ask(others, topic));
		return { sockets: met };
	}

	#connections(action: Connections): ActionAnswer {
		const sockets = socketsOf(this.#options.registry, action);
		const connections: ConnectionInfo[] = [];
		let size = 0;
		for (const socket of sockets) {
			if (connections.length === action.limit || size > MAX_ANSWER_SIZE) break;
			const info = this.#describe(socket);
			connections.push(info);
			size += INFO_SIZE;
			for (const topic of info.topics) size += topic.length;
		}
		return { sockets: sockets.length, connections };
	}

	#describe(socket: WebSocketConnection): ConnectionInfo {
		const { nodeId, local } = this.#options;
		const { socketId, userId, connectedAt = 0, topics } = socket.data;
		return {
			socketId,
			...(userId !== undefined && { userId }),
			nodeId,
			connectedAt,
			address: local.addressOf(socket),
			topics: topics.size <= MAX_TOPICS ? [...topics] : [...topics].slice(0, MAX_TOPICS),
			topicCount: topics.size,
			isSpeaker: isSpeaker(socket),
		};
	}

	#updatePresence({ topic, key, set, unset }: UpdatePresence): ActionAnswer {
		const change = { ...set, ...Object.fromEntries(unset.map((name) => [name, undefined])) };
		try {
			return { sockets: this.#options.updatePresence?.(topic, key, change) ?? 0 };
		} catch (thrown) {
			// With what its sockets have, it is too large.
			this.#options.onError(thrown);
			return { sockets: 0 };
		}
	}

	#count({ topic }: Count): ActionAnswer {
		const { registry } = this.#options;
		return { sockets: topic === undefined ? registry.socketCount : registry.memberCount(topic) };
	}
}

/** @param count how many clients are disconnected at a time */
function randomDelay(count: number): number {
	const spread = Math.min(LONGEST_SPREAD_MS, Math.max(SHORTEST_SPREAD_MS, count * SPREAD_MS_EACH));
	return SHORTEST_DELAY_MS + Math.random() * spread;
}

function given({ code, message }: Unsubscribe): { code?: string; message?: string } {
	return { ...(code !== undefined && { code }), ...(message !== undefined && { message }) };
}
