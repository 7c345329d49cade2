import type { PresenceMember, PresenceNotice, PresenceVersion } from '../protocol/presence.ts';
import type { WatchedMembers } from '../presence/presence-contract.ts';
import type { Member, TestNode } from './test-node.ts';

/** A member without what differs between runs. */
export interface Seen {
	readonly connections: number;
	readonly info: unknown;
}

/** A client that watches a topic, by the rule of the protocol. It reads what it was sent when it is asked for it. */
export class PresenceClient {
	readonly members: Map<string, PresenceMember> = new Map();
	readonly topic: string;
	readonly notices: PresenceNotice[] = [];
	/** Changes that can't be after what it has seen right before them. */
	readonly faults: string[] = [];
	count = 0;
	isStale = false;
	areMembersKnown = true;
	/** How often it has asked for the members. */
	watches = 0;
	readonly #node: TestNode;
	readonly #member: Member;
	#version: PresenceVersion | undefined;
	#read = 0;
	/** Whether it has asked for the members and has no answer yet. */
	#isAsking = false;

	constructor(node: TestNode, member: Member, topic: string) {
		this.#node = node;
		this.#member = member;
		this.topic = topic;
	}

	/** Begins to watch. Rejects as `SocketPresence.watch` does. */
	async watch(): Promise<void> {
		this.#isAsking = true;
		this.watches++;
		await this.#node.provider.socketPresence.watch(this.#member.id, this.topic, (members) => {
			this.#member.ws.send(JSON.stringify({ type: 'answer', data: { ...members, topic: this.topic } }));
		});
	}

	unwatch(): void {
		this.#node.provider.socketPresence.unwatch(this.#member.id, this.topic);
	}

	/** Reads what has arrived. Asks again if something does not follow. */
	read(): this {
		const { messages } = this.#member.client;
		for (; this.#read < messages.length; this.#read++) {
			const message = messages[this.#read];
			if (typeof message !== 'string' || !message.startsWith('{')) continue;
			const { type, data } = JSON.parse(message) as { type: string; data: WatchedMembers & PresenceNotice };
			if (data.topic !== this.topic) continue;
			if (type === 'answer') this.#start(data);
			else if (type === '@presence') this.#apply(data);
		}
		return this;
	}

	/** Returns the members by key. */
	seen(): Record<string, Seen> {
		const sorted = [...this.read().members].toSorted(([a], [b]) => (a < b ? -1 : 1));
		return Object.fromEntries(sorted.map(([key, { connections, info }]) => [key, { connections, info }]));
	}

	#start({ members, version, count, isStale, areMembersKnown }: WatchedMembers): void {
		this.#isAsking = false;
		this.#version = version;
		this.#set(count, isStale, areMembersKnown);
		this.members.clear();
		for (const member of members) this.members.set(member.key, member);
	}

	#apply(notice: PresenceNotice): void {
		this.notices.push(notice);
		const { version, previous, count, joined = [], left = [], updated = [] } = notice;
		const mine = this.#version;
		if (mine === undefined || this.#isAsking) return;
		if (version.epoch === mine.epoch && version.n <= mine.n) return;
		if (previous.epoch !== mine.epoch || previous.n > mine.n) return void this.watch().catch(() => {});
		this.#version = version;
		this.#set(count, notice.isStale === true, notice.isCountOnly !== true);
		if (previous.n === mine.n) this.#check(notice);
		for (const key of left) this.members.delete(key);
		for (const member of [...joined, ...updated]) this.members.set(member.key, member);
		if (!this.areMembersKnown) this.members.clear();
	}

	#check({ joined = [], left = [], updated = [] }: PresenceNotice): void {
		if (!this.areMembersKnown) return;
		for (const { key } of joined) if (this.members.has(key)) this.faults.push(`${key} joined twice`);
		for (const key of left) if (!this.members.has(key)) this.faults.push(`${key} left without having joined`);
		for (const { key } of updated) if (!this.members.has(key)) this.faults.push(`${key} was updated, but is not there`);
	}

	#set(count: number, isStale: boolean, areMembersKnown: boolean): void {
		this.count = count;
		this.isStale = isStale;
		this.areMembersKnown = areMembersKnown;
	}
}
