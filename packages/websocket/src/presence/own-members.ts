import type { RegisteredSocket } from '../sockets/registry.ts';
import { DONE } from '../support/promises.ts';
import { NotPresentError } from './errors.ts';
import { Lingering } from './lingering.ts';
import { Member, OwnTopic, type PresentSocket } from './own-member.ts';
import type { OwnMember, OwnMembersView } from './own-members-contract.ts';
import type { PresenceInfo } from './presence-contract.ts';
import { changed, copyInfo, encodeInfo, merged } from './presence-info.ts';
import type { PresenceRule } from './presence-rules.ts';
import { RemovedLately } from './removed-lately.ts';

export interface OwnMembersOptions {
	/** Returns how a topic's presence is kept; undefined if it is not. */
	ruleOf(topic: string): PresenceRule | undefined;
	/** Says what the server knows of a socket's user. If it throws, the socket has no such info. */
	describe(socket: RegisteredSocket, topic: string): PresenceInfo | undefined;
	/** The largest info, in bytes of its JSON in UTF-8. */
	readonly infoBytes: number;
	/** Returns whether the backend is available. */
	isReady(): boolean;
	/** Called when a member of this node has come, left or changed. */
	onChange(topic: string, key: string): void;
	/** Called when a member's record may no longer be as it is to be. */
	onDirty(member: Member): void;
	/** Returns a promise of when a topic's changes are stored. */
	settled(topic: OwnTopic): Promise<void>;
	/** Called when info could not be used in the background. */
	onError(thrown: unknown, topic: string): void;
}

/** Returns the key of a socket's member. Like all text at the backend, it is well-formed UTF-16. */
export function memberKeyOf({ socketId, userId }: RegisteredSocket['data']): string {
	return userId === undefined ? `socket:${socketId}` : `user:${userId}`.toWellFormed();
}

/** Knows the members of this node's sockets in all topics whose presence is kept. */
export class OwnMembers implements OwnMembersView {
	readonly #options: OwnMembersOptions;
	readonly #topics = new Map<string, OwnTopic>();
	readonly #lingering: Lingering;
	readonly #removed = new RemovedLately();

	constructor(options: OwnMembersOptions) {
		this.#options = options;
		this.#lingering = new Lingering(
			(member) => this.#changed(member),
			() => options.isReady(),
		);
	}

	// Sockets

	/** Called when a socket is subscribed to any topic. Idempotent. */
	subscribed(socket: RegisteredSocket, name: string): void {
		const rule = this.#topics.get(name)?.rule ?? this.#options.ruleOf(name);
		if (rule === undefined || this.#find(socket, name) !== undefined) return;
		const member = this.#memberOf(socket, name, rule);
		const present: PresentSocket = { socket, server: undefined, own: undefined };
		member.sockets.push(present);
		present.server = this.#describe(socket, name);
		// The application may have taken it out meanwhile.
		if (!member.sockets.includes(present)) return;
		this.#inform(member);
		this.#changed(member);
	}

	/**
	 * Called when a socket is unsubscribed from any topic. Idempotent. A member that leaves on purpose, or is taken out,
	 * does not linger.
	 */
	unsubscribed(socket: RegisteredSocket, name: string): void {
		this.#leave(socket, name, false);
	}

	/** Called when a socket has left all its topics, which its data still lists. Its user may come back. */
	removed(socket: RegisteredSocket): void {
		if (this.#topics.size === 0) return;
		for (const topic of socket.data.topics) this.#leave(socket, topic, true);
	}

	#leave(socket: RegisteredSocket, name: string, mayComeBack: boolean): void {
		const found = this.#find(socket, name);
		if (found === undefined) return;
		const { member, at } = found;
		const { sockets } = member;
		const wasLatest = at === sockets.length - 1;
		sockets.splice(at, 1);
		if (sockets.length > 0) {
			if (wasLatest) this.#inform(member);
		} else if (mayComeBack && member.userId !== undefined && member.topic.rule.leaveDelayMs > 0) {
			this.#lingering.add(member, performance.now());
		}
		this.#changed(member);
	}

	/** Called when the backend is available again. Who lingers gets the whole delay once more. */
	ready(): void {
		this.#lingering.restart(performance.now());
	}

	// Info

	/**
	 * Sets what a socket says of itself, instead of what it said before.
	 *
	 * @throws {InvalidPresenceInfoError} it is no plain object, has what JSON does not carry, or is too large
	 * together with the rest
	 * @throws {NotPresentError} the socket is not in the topic
	 */
	setOwn(socket: RegisteredSocket, topic: string, given: PresenceInfo): void {
		const { member, present } = this.#present(socket, topic);
		const own = copyInfo(given);
		encodeInfo(own, this.#options.infoBytes);
		encodeInfo(merged(own, present.server, member.changes) ?? {}, this.#options.infoBytes);
		present.own = own;
		this.#setLatest(member, present);
	}

	/** Returns what a socket's info would be with `own`. @throws {NotPresentError} the socket is not in the topic */
	infoWith(socket: RegisteredSocket, topic: string, own: PresenceInfo): PresenceInfo {
		const { member, present } = this.#present(socket, topic);
		return merged(own, present.server, member.changes) ?? {};
	}

	/** Asks again what the server knows of a socket's user, in one topic or in all. */
	refresh(socket: RegisteredSocket, topic?: string): void {
		for (const name of topic === undefined ? socket.data.topics : [topic]) {
			if (this.#find(socket, name) === undefined) continue;
			const server = this.#describe(socket, name);
			// It may have left meanwhile.
			const found = this.#find(socket, name);
			const present = found?.member.sockets[found.at];
			if (found === undefined || present === undefined) continue;
			present.server = server;
			this.#setLatest(found.member, present);
		}
	}

	/**
	 * Sets properties of a member's info, for as long as it is here; those that are set to undefined are removed.
	 * Returns the number of its sockets.
	 *
	 * @throws {InvalidPresenceInfoError} the info is no plain object, has what JSON does not carry, or is too large
	 * together with the rest
	 */
	merge(topic: string, key: string, given: PresenceInfo): number {
		const change = copyInfo(given);
		encodeInfo(change, this.#options.infoBytes);
		const member = this.#topics.get(topic)?.members.get(key.toWellFormed());
		const latest = member?.sockets.at(-1);
		if (member === undefined || latest === undefined) return 0;
		const changes = changed(member.changes, change);
		encodeInfo(merged(latest.own, latest.server, changes) ?? {}, this.#options.infoBytes);
		member.changes = changes;
		this.#setLatest(member, latest);
		return member.sockets.length;
	}

	#describe(socket: RegisteredSocket, topic: string): PresenceInfo | undefined {
		try {
			const given = this.#options.describe(socket, topic);
			if (given === undefined) return undefined;
			const info = copyInfo(given);
			encodeInfo(info, this.#options.infoBytes);
			return info;
		} catch (thrown) {
			this.#options.onError(thrown, topic);
			return undefined;
		}
	}

	/** Makes a socket's info the member's. */
	#setLatest(member: Member, present: PresentSocket): void {
		const { sockets } = member;
		if (sockets.at(-1) !== present) {
			sockets.splice(sockets.indexOf(present), 1);
			sockets.push(present);
		}
		const before = member.info;
		this.#inform(member);
		if (member.info !== before) this.#changed(member);
	}

	/**
	 * Sets a member's info to that of its latest socket. What is too large together is used as far as it fits: the
	 * server's part first.
	 */
	#inform(member: Member): void {
		member.info = this.#infoOf(member);
		member.infoAt = performance.now();
	}

	#infoOf(member: Member): string | undefined {
		const { own, server } = member.sockets.at(-1) ?? {};
		const { infoBytes, onError } = this.#options;
		for (const info of [merged(own, server, member.changes), merged(server, member.changes), server]) {
			try {
				return info === undefined ? undefined : encodeInfo(info, infoBytes);
			} catch (thrown) {
				onError(thrown, member.topic.name);
			}
		}
		return undefined;
	}

	// Members

	#find(socket: RegisteredSocket, name: string): { readonly member: Member; readonly at: number } | undefined {
		const member = this.#topics.get(name)?.members.get(memberKeyOf(socket.data));
		const at = member?.indexOf(socket.data.socketId) ?? -1;
		return member === undefined || at === -1 ? undefined : { member, at };
	}

	#present(socket: RegisteredSocket, name: string): { readonly member: Member; readonly present: PresentSocket } {
		const found = this.#find(socket, name);
		const present = found?.member.sockets[found.at];
		if (found === undefined || present === undefined) throw new NotPresentError(socket.data.socketId, name);
		return { member: found.member, present };
	}

	/** Returns a socket's member, which no longer lingers, as a new one if need be. */
	#memberOf({ data }: RegisteredSocket, name: string, rule: PresenceRule): Member {
		let topic = this.#topics.get(name);
		if (topic === undefined) this.#topics.set(name, (topic = new OwnTopic(name, rule)));
		const key = memberKeyOf(data);
		const now = performance.now();
		let member = topic.members.get(key);
		if (member === undefined) {
			member = new Member(topic, key, data.userId, now);
			topic.members.set(key, member);
		} else if (member.lingersUntil !== undefined) {
			this.#lingering.delete(member);
		} else if (member.sockets.length === 0) {
			// It had left, but the store may not know.
			member.sinceAt = now;
			member.changes = undefined;
		}
		return member;
	}

	#changed(member: Member): void {
		const { onDirty, onChange } = this.#options;
		onDirty(member);
		this.forget(member);
		onChange(member.topic.name, member.key);
	}

	/** Forgets a member that has left, if the store has no record of it, and the topic if it is empty. */
	forget(member: Member): void {
		const { topic } = member;
		if (member.isHere || member.mayBeStored || topic.members.get(member.key) !== member) return;
		if (member.wasStored) this.#removed.add(member);
		topic.members.delete(member.key);
		if (topic.members.size === 0 && this.#topics.get(topic.name) === topic) this.#topics.delete(topic.name);
	}

	/** Called when the backend may have lost removals: they are done again. */
	removeAgain(isAffected: (topic: string) => boolean): void {
		for (const { topic, key, userId } of this.#removed.take(isAffected)) {
			let current = this.#topics.get(topic.name);
			if (current?.members.has(key) === true) continue;
			if (current === undefined) this.#topics.set(topic.name, (current = new OwnTopic(topic.name, topic.rule)));
			const member = new Member(current, key, userId, performance.now());
			member.found();
			current.members.set(key, member);
			this.#options.onDirty(member);
		}
	}

	topics(): MapIterator<OwnTopic> {
		return this.#topics.values();
	}

	*of(topic: string): Generator<OwnMember> {
		for (const member of this.#topics.get(topic)?.members.values() ?? []) if (member.isHere) yield member;
	}

	get(topic: string, key: string): OwnMember | undefined {
		const member = this.#topics.get(topic)?.members.get(key);
		return member?.isHere === true ? member : undefined;
	}

	settled(topic: string): Promise<void> {
		const own = this.#topics.get(topic);
		return own === undefined ? DONE : this.#options.settled(own);
	}
}
