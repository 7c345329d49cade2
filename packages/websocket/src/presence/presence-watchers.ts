import { type EncodedChanges, encodePresenceNotice } from '../protocol/presence.ts';
import type { LocalFanout } from '../sockets/local-fanout.ts';
import type { Registry } from '../sockets/registry.ts';
import type { WebSocketConnection } from '../sockets/websocket-connection.ts';
import { settledWithin } from '../support/promises.ts';
import { CountNotices } from './count-notices.ts';
import { PresenceUnavailableError } from './errors.ts';
import type { OwnMembersView } from './own-members-contract.ts';
import type { PresenceChange, WatchedMembers, WatchOptions } from './presence-contract.ts';
import type { PresenceReplicas } from './presence-replicas.ts';
import type { PresenceRule } from './presence-rules.ts';
import { PAGE_MEMBERS } from './told-members.ts';
import type { WatchingSockets } from './watching-sockets.ts';

export interface PresenceWatchersOptions {
	readonly registry: Registry<WebSocketConnection>;
	readonly replicas: PresenceReplicas;
	readonly own: Pick<OwnMembersView, 'settled'>;
	readonly sockets: WatchingSockets;
	/** Sends to the sockets that watch a topic, under names of its own in Bun. */
	readonly fanout: LocalFanout;
}

/** Calls that wait until it is known who is in a topic. */
interface Pending {
	calls: number;
	/** Whether the socket has left, or does not want to watch the topic any longer. */
	isOver: boolean;
}

/** About the most characters of a page for a client. */
const PAGE_CHARACTERS = 65_536;
/** The longest wait until those who have entered a topic are counted, in milliseconds. */
const SETTLE_MS = 1_000;

/** The sockets that are told who is in topics. */
export class PresenceWatchers {
	readonly #options: PresenceWatchersOptions;
	/** By socket and topic. */
	readonly #pending = new Map<string, Map<string, Pending>>();
	readonly #counts = new CountNotices();

	constructor(options: PresenceWatchersOptions) {
		this.#options = options;
	}

	/** See {@link SocketPresence.watch}. */
	async watch(
		socket: WebSocketConnection,
		topic: string,
		rule: PresenceRule,
		answer: (members: WatchedMembers) => void,
		{ isCountOnly = false }: WatchOptions,
	): Promise<void> {
		const { replicas, own } = this.#options;
		const { socketId } = socket.data;
		const pending = this.#begin(socketId, topic);
		const replica = replicas.hold(topic, rule);
		try {
			await replica.known;
			// Who has just entered the topic is to be counted.
			if (isCountOnly || !replica.areMembersKnown) await settledWithin(SETTLE_MS, own.settled(topic));
			// The client sees what has happened before, such as that it is there itself.
			await replica.told();
			if (pending.isOver) return;
			if (replica.isBlank) throw new PresenceUnavailableError(topic);
			if (!this.#add(socket, topic, isCountOnly)) return;
			if (!isCountOnly) return answer(replica.page(undefined, PAGE_MEMBERS, PAGE_CHARACTERS));
			const page = { ...replica.page(undefined, 0), members: [], hasMore: false, areMembersKnown: false };
			this.#counts.begin(topic, page);
			answer(page);
		} finally {
			// A socket that watches the topic now holds it itself.
			replicas.release(topic);
			this.#end(socketId, topic, pending);
		}
	}

	/** A socket watches either the members or only their count. Returns false if the socket is closed. */
	#add(socket: WebSocketConnection, topic: string, isCountOnly: boolean): boolean {
		const { registry, replicas, sockets, fanout } = this.#options;
		const { socketId } = socket.data;
		const [name, other] = isCountOnly ? [countOf(topic), topic] : [topic, countOf(topic)];
		if (sockets.has(socketId, name)) return true;
		if (registry.get(socketId) !== socket || !fanout.subscribe(socket, name)) return false;
		sockets.add(socket, name);
		replicas.retain(topic);
		this.#remove(socketId, other);
		return true;
	}

	#begin(socketId: string, topic: string): Pending {
		let ofSocket = this.#pending.get(socketId);
		if (ofSocket === undefined) this.#pending.set(socketId, (ofSocket = new Map()));
		let pending = ofSocket.get(topic);
		if (pending === undefined) ofSocket.set(topic, (pending = { calls: 0, isOver: false }));
		pending.calls++;
		return pending;
	}

	#end(socketId: string, topic: string, pending: Pending): void {
		if (--pending.calls > 0 || pending.isOver) return;
		const ofSocket = this.#pending.get(socketId);
		ofSocket?.delete(topic);
		if (ofSocket?.size === 0) this.#pending.delete(socketId);
	}

	/** See {@link SocketPresence.page}. */
	page(socketId: string, topic: string, after: string): WatchedMembers | undefined {
		const { replicas, sockets } = this.#options;
		const replica = sockets.has(socketId, topic) ? replicas.get(topic) : undefined;
		return replica?.areMembersKnown === true ? replica.page(after, PAGE_MEMBERS, PAGE_CHARACTERS) : undefined;
	}

	unwatch(socketId: string, topic: string): void {
		const ofSocket = this.#pending.get(socketId);
		const pending = ofSocket?.get(topic);
		if (pending !== undefined) {
			pending.isOver = true;
			ofSocket?.delete(topic);
			if (ofSocket?.size === 0) this.#pending.delete(socketId);
		}
		this.#remove(socketId, topic);
		this.#remove(socketId, countOf(topic));
	}

	/** @param name a topic, or the name for its count */
	#remove(socketId: string, name: string): void {
		const { replicas, sockets, fanout } = this.#options;
		const socket = sockets.get(socketId);
		if (socket === undefined || !sockets.delete(socketId, name)) return;
		if (socket.readyState === WebSocket.OPEN) fanout.unsubscribe(socket, name);
		const topic = topicOf(name);
		if (topic !== name && !sockets.isWatched(name)) this.#counts.end(topic);
		replicas.release(topic);
	}

	/** Called when a socket has been removed. */
	removed(socketId: string): void {
		const pending = this.#pending.get(socketId);
		if (pending !== undefined) {
			for (const each of pending.values()) each.isOver = true;
			this.#pending.delete(socketId);
		}
		for (const name of this.#options.sockets.topicsOf(socketId)) this.#remove(socketId, name);
	}

	watchedBy(socketId: string): number {
		const { sockets } = this.#options;
		let count = sockets.topicsOf(socketId).size;
		for (const topic of this.#pending.get(socketId)?.keys() ?? []) {
			if (!sockets.has(socketId, topic) && !sockets.has(socketId, countOf(topic))) count++;
		}
		return count;
	}

	/** Sends a frame to the sockets that watch the members of a topic. */
	tell(topic: string, frame: () => string): void {
		const { sockets, fanout } = this.#options;
		if (sockets.isWatched(topic)) fanout.toSpeakers(topic, frame());
	}

	/** Tells a change to the sockets that watch only the count of a topic. */
	tellCount(change: PresenceChange): void {
		const notice = this.#counts.next(change);
		if (notice !== undefined)
			this.#options.fanout.toSpeakers(countOf(notice.topic), encodePresenceNotice(notice, NO_CHANGES));
	}
}

const NO_CHANGES: EncodedChanges = { joined: [], left: [], updated: [] };

/** No topic begins so. */
const COUNT = '#';

/** The name under which sockets are told only the count of a topic. */
function countOf(topic: string): string {
	return COUNT + topic;
}

function topicOf(name: string): string {
	return name.startsWith(COUNT) ? name.slice(COUNT.length) : name;
}
