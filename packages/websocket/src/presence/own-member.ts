import type { RegisteredSocket } from '../sockets/registry.ts';
import type { OwnMember } from './own-members-contract.ts';
import type { PresenceInfo } from './presence-contract.ts';
import type { PresenceRule } from './presence-rules.ts';
import type { PresenceOp } from './presence-store.ts';
import type { TopicChanges } from './topic-changes.ts';

/** A topic with the members that this node has in it. */
export class OwnTopic {
	readonly name: string;
	readonly rule: PresenceRule;
	/** By key. Those that have left are among them until the store knows. */
	readonly members: Map<string, Member> = new Map();
	/** What is to be stored; undefined if there is nothing. */
	changes: TopicChanges<Member> | undefined;

	constructor(name: string, rule: PresenceRule) {
		this.name = name;
		this.rule = rule;
	}
}

/** A socket of a member, and its info. */
export interface PresentSocket {
	readonly socket: RegisteredSocket;
	/** What the server says of it. */
	server: PresenceInfo | undefined;
	/** What it says itself. */
	own: PresenceInfo | undefined;
}

/** The store has no record of the member. */
const NOT_STORED = -1;
/** The store may have a record of the member, or not. */
const UNKNOWN = -2;
/** The store has a record that lingers. */
const LINGERING = 0;

/** A member of this node: how it is, and what is known of its record at the store. */
export class Member implements OwnMember {
	readonly topic: OwnTopic;
	readonly key: string;
	readonly userId: string | undefined;
	/** The last one is that whose info was set last. */
	readonly sockets: PresentSocket[] = [];
	info: string | undefined;
	/** When its info was set, by the monotonic clock. */
	infoAt: number;
	/** What `Presence.update` has set. */
	changes: PresenceInfo | undefined;
	sinceAt: number;
	/** Until when it counts although it has no sockets, by the monotonic clock. */
	lingersUntil: number | undefined;
	/** Whether the store may have had a record of it. */
	wasStored = false;
	/** The connections of its record, or one of the constants. */
	#stored = NOT_STORED;
	#storedInfo: string | undefined;

	constructor(topic: OwnTopic, key: string, userId: string | undefined, now: number) {
		this.topic = topic;
		this.key = key;
		this.userId = userId;
		this.sinceAt = now;
		this.infoAt = now;
	}

	get connections(): number {
		return this.sockets.length;
	}

	/** Whether it counts as a member: it has sockets, or lingers. */
	get isHere(): boolean {
		return this.sockets.length > 0 || this.lingersUntil !== undefined;
	}

	/** Whether the store may have a record of it. */
	get mayBeStored(): boolean {
		return this.#stored !== NOT_STORED;
	}

	indexOf(socketId: string): number {
		return this.sockets.findIndex(({ socket }) => socket.data.socketId === socketId);
	}

	/**
	 * Returns the change by which its record becomes as it is to be; undefined if it is known to be so. If the node is
	 * leaving, members with sockets are to linger.
	 */
	opAt(now: number, isLeaving: boolean): PresenceOp | undefined {
		const { key, sockets, info } = this;
		if (sockets.length > 0 && !isLeaving) {
			if (this.#stored === sockets.length && this.#storedInfo === info) return undefined;
			return this.#put(sockets.length, now);
		}
		if (this.#stored === NOT_STORED) {
			// It has come and gone within a moment: others are to know it for as long as it lingers.
			if (this.lingersUntil === undefined) return undefined;
			return this.#put(1, now);
		}
		const ms = this.#lingerMs(now);
		if (ms === 0) return { kind: 'remove', key };
		return this.#stored === LINGERING ? undefined : { kind: 'linger', key, ms };
	}

	#put(connections: number, now: number): PresenceOp {
		const { key, info, sinceAt, infoAt } = this;
		const infoAgeMs = Math.round(now - infoAt);
		return { kind: 'put', key, connections, ageMs: Math.round(now - sinceAt), info, infoAgeMs };
	}

	#lingerMs(now: number): number {
		if (this.lingersUntil !== undefined) return Math.max(0, Math.ceil(this.lingersUntil - now));
		return this.sockets.length > 0 && this.userId !== undefined ? this.topic.rule.leaveDelayMs : 0;
	}

	/** Called when a change has been sent, or when records may have been lost. */
	unknown(): void {
		if (this.#stored !== NOT_STORED) this.#stored = UNKNOWN;
	}

	/** Called when the store may have a record of it after all. */
	found(): void {
		this.#stored = UNKNOWN;
	}

	/** Called before a change is sent. */
	sent(): void {
		this.#stored = UNKNOWN;
		this.wasStored = true;
	}

	/** Called when the store has applied a change. */
	applied(op: PresenceOp): void {
		if (op.kind === 'put') {
			this.#stored = op.connections;
			this.#storedInfo = op.info;
		} else {
			this.#stored = op.kind === 'linger' ? LINGERING : NOT_STORED;
			this.#storedInfo = undefined;
		}
	}
}
