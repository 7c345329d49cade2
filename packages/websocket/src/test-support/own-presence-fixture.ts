import { RecordingLogger } from '@orijs/testkit';
import { MemoryPresence } from '../presence/memory-presence.ts';
import { OwnPresence, type OwnPresenceOptions } from '../presence/own-presence.ts';
import type { PresenceInfo } from '../presence/presence-contract.ts';
import type { PresenceRule } from '../presence/presence-rules.ts';
import type { PresenceStore } from '../presence/presence-store.ts';
import { FailureLog } from '../support/failure-log.ts';
import { encodePresenceHeader } from '../wire/frame.ts';
import { type PresenceFrameChange, readPresence } from '../wire/presence-frame.ts';
import { PresenceLink } from './presence-link.ts';

export const HEADER: Buffer = encodePresenceHeader({ origin: 1, shard: 0, incarnation: 0 });
export const RULE: PresenceRule = { leaveDelayMs: 5_000, events: 'members', membersUpTo: 1_000 };

export interface TestSocket {
	readonly data: { readonly socketId: string; readonly userId: string | undefined; readonly topics: Set<string> };
}

export function socketOf(userId?: string): TestSocket {
	return { data: { socketId: crypto.randomUUID(), userId, topics: new Set() } };
}

/** What members see at a store, and what they are told. */
export class PresenceBackend {
	/** What has changed, with the topic. */
	readonly changes: (PresenceFrameChange & { readonly topic: string })[] = [];
	/** Called with each change. */
	onChange: (change: PresenceFrameChange & { readonly topic: string }) => void = () => {};
	readonly store: MemoryPresence = new MemoryPresence(
		(topic, frame) => {
			for (const change of readPresence(frame, HEADER.length)?.changes ?? []) {
				this.changes.push({ ...change, topic });
				this.onChange({ ...change, topic });
			}
		},
		{ isShared: true },
	);

	/** Returns the connections of a topic's members, by key. */
	async connections(topic: string): Promise<Record<string, number>> {
		const { members } = await this.store.read(topic, { limit: 1_000 });
		return Object.fromEntries(members.map(({ key, connections }) => [key, connections]));
	}

	/** Returns the changes as short texts, such as `joined user:ann`, and forgets them. */
	told(): string[] {
		return this.changes.splice(0).map(({ kind, key }) => `${kind} ${key}`);
	}
}

/** A node's own presence, with its link to the backend. */
export class PresenceNode {
	readonly link: PresenceLink;
	readonly presence: OwnPresence;
	readonly log: RecordingLogger = new RecordingLogger();
	/** What the node's members were told to have changed. */
	readonly changed: string[] = [];
	describe: (userId: string | undefined, topic: string) => PresenceInfo | undefined = () => undefined;
	isReady = true;

	constructor(store: PresenceStore, options: Partial<OwnPresenceOptions> = {}) {
		this.link = new PresenceLink(store);
		this.presence = new OwnPresence({
			store: this.link,
			nodeId: crypto.randomUUID(),
			ruleOf: (topic) => (topic.startsWith('plain') ? undefined : RULE),
			describe: ({ data }, topic) => this.describe(data.userId, topic),
			onChange: (topic, key) => this.changed.push(`${topic} ${key}`),
			isReady: () => this.isReady,
			header: () => HEADER,
			failures: new FailureLog(this.log),
			...options,
		});
	}

	join(socket: TestSocket, topic: string): TestSocket {
		socket.data.topics.add(topic);
		this.presence.members.subscribed(socket, topic);
		return socket;
	}

	leave(socket: TestSocket, topic: string): void {
		socket.data.topics.delete(topic);
		this.presence.members.unsubscribed(socket, topic);
	}

	close(socket: TestSocket): void {
		this.presence.members.removed(socket);
	}

	/** The links is cut: all calls fail. */
	goAway(): void {
		this.isReady = false;
		this.link.fate = () => 'failed';
		this.presence.away();
	}

	comeBack(): void {
		this.link.fate = () => 'answered';
		this.isReady = true;
		this.presence.ready();
	}
}
