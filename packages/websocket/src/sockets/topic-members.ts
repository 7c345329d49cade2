import { isSpeaker } from './websocket-connection.ts';

/** A socket, whose kind must not change. */
type Member = Parameters<typeof isSpeaker>[0];

/** The names under which a topic's messages are published in Bun: each kind of socket has its own. */
export interface TopicNames {
	/** Whether any member is plain. */
	readonly hasPlain: boolean;
	/** The name for members whose clients speak the protocol; undefined without such members. */
	readonly spokenName: string | undefined;
}

/**
 * Returns a topic's name in Bun for the sockets whose clients speak the protocol. No topic can begin with `@`, so what
 * an application publishes in Bun itself does not reach these sockets.
 *
 * @param prefix see {@link claimPrefix}
 */
export function spokenNameOf(prefix: string, topic: string): string {
	return `${prefix}@${topic}`;
}

/**
 * Holds the members of each topic. Many topics, such as a user's own, never have more than one member. A single member
 * is stored without a set, in a fifth of the memory.
 */
export class Members<TSocket extends Member> {
	readonly #byTopic = new Map<string, TSocket | OneSpeaker<TSocket> | Several<TSocket>>();
	#prefix = '';

	/** Gives all topics other names in Bun. @param prefix see {@link claimPrefix} */
	rename(prefix: string): void {
		this.#prefix = prefix;
		for (const [topic, members] of this.#byTopic) {
			if (members instanceof OneSpeaker) this.#byTopic.set(topic, members.socket);
			else if (members instanceof Several) members.spokenName = undefined;
		}
	}

	/** Returns the topics that have members. */
	topics(): MapIterator<string> {
		return this.#byTopic.keys();
	}

	get topicCount(): number {
		return this.#byTopic.size;
	}

	/** Returns the topic's members. Use the result immediately: it changes when sockets join or leave. */
	of(topic: string): Iterable<TSocket> {
		const members = this.#byTopic.get(topic);
		if (members === undefined) return NONE;
		return members instanceof Several ? members.sockets : [onlyOne(members)];
	}

	count(topic: string): number {
		const members = this.#byTopic.get(topic);
		return members instanceof Several ? members.sockets.size : members === undefined ? 0 : 1;
	}

	/** Returns the names that the topic has in Bun. Use the result immediately: it changes with the members. */
	names(topic: string): TopicNames {
		const members = this.#byTopic.get(topic);
		if (members === undefined) return NO_NAMES;
		if (members instanceof OneSpeaker) return members;
		if (members instanceof Several) {
			if (members.hasSpeaker) members.spokenName ??= spokenNameOf(this.#prefix, topic);
			return members;
		}
		if (!isSpeaker(members)) return ONLY_PLAIN;
		const named = new OneSpeaker(members, spokenNameOf(this.#prefix, topic));
		this.#byTopic.set(topic, named);
		return named;
	}

	/** Adds a socket that is not a member yet. */
	add(topic: string, socket: TSocket): void {
		const members = this.#byTopic.get(topic);
		if (members === undefined) this.#byTopic.set(topic, socket);
		else if (members instanceof Several) members.add(socket);
		else this.#byTopic.set(topic, new Several(onlyOne(members), socket));
	}

	/** Removes a socket. Returns whether the topic is now empty. */
	delete(topic: string, socket: TSocket): boolean {
		const members = this.#byTopic.get(topic);
		if (members === undefined) return false;
		if (members instanceof Several) {
			if (!members.delete(socket) || members.sockets.size > 0) return false;
		} else if (onlyOne(members) !== socket) {
			return false;
		}
		return this.#byTopic.delete(topic);
	}
}

/** The single member of a topic that has been published to. Until then, the socket alone is stored. */
class OneSpeaker<TSocket> implements TopicNames {
	readonly socket: TSocket;
	readonly spokenName: string;

	constructor(socket: TSocket, spokenName: string) {
		this.socket = socket;
		this.spokenName = spokenName;
	}

	get hasPlain(): boolean {
		return false;
	}
}

/** The members of a topic that has had several. */
class Several<TSocket extends Member> implements TopicNames {
	readonly sockets = new Set<TSocket>();
	/** Made when the topic is first published to. */
	spokenName: string | undefined;
	#speakerCount = 0;

	constructor(first: TSocket, second: TSocket) {
		this.add(first);
		this.add(second);
	}

	get hasPlain(): boolean {
		return this.#speakerCount < this.sockets.size;
	}

	get hasSpeaker(): boolean {
		return this.#speakerCount > 0;
	}

	add(socket: TSocket): void {
		this.sockets.add(socket);
		if (isSpeaker(socket)) this.#speakerCount++;
	}

	delete(socket: TSocket): boolean {
		const wasMember = this.sockets.delete(socket);
		if (wasMember && isSpeaker(socket) && --this.#speakerCount === 0) this.spokenName = undefined;
		return wasMember;
	}
}

function onlyOne<TSocket>(member: TSocket | OneSpeaker<TSocket>): TSocket {
	return member instanceof OneSpeaker ? member.socket : member;
}

const NONE: readonly never[] = [];
const NO_NAMES: TopicNames = { hasPlain: false, spokenName: undefined };
const ONLY_PLAIN: TopicNames = { hasPlain: true, spokenName: undefined };
