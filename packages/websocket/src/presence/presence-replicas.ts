import type { PresenceContent } from '../wire/presence-frame.ts';
import { presenceChannel } from '../wire/channel-names.ts';
import type { ChangeNoticesOptions } from './change-notices.ts';
import type { PresenceRule } from './presence-rules.ts';
import type { PresenceState } from './presence-store.ts';
import { type ReplicaContext, TopicReplica } from './topic-replica.ts';

export interface PresenceReplicasOptions {
	/** Subscribes this node to a channel. Resolves once all frames from then on arrive. */
	readonly subscribeNode: (channel: string) => Promise<void>;
	readonly unsubscribeNode: (channel: string, graceMs: number) => void;
	/** For how long a topic is followed after the last one who watches it has left, in milliseconds. */
	readonly graceMs: number;
	/** See {@link ChangeNoticesOptions.onTell}. */
	readonly onTell: (...told: [topic: string, ...Parameters<ChangeNoticesOptions['onTell']>]) => void;
}

interface Held {
	readonly replica: TopicReplica;
	/** How often the topic is watched. */
	holders: number;
	/** Runs after the last one who watches the topic has left. */
	grace: ReturnType<typeof setTimeout> | undefined;
}

/** The topics that are watched on this node, by clients or by the application, and who is in them. */
export class PresenceReplicas {
	readonly #options: PresenceReplicasOptions;
	readonly #context: ReplicaContext;
	readonly #held = new Map<string, Held>();
	#isStarted = false;

	constructor(context: Omit<ReplicaContext, 'subscribe'>, options: PresenceReplicasOptions) {
		this.#options = options;
		this.#context = { ...context, subscribe: (topic) => options.subscribeNode(presenceChannel(topic)) };
	}

	/** Called when the provider starts. Topics that are held already are followed from now on, and were not stale. */
	start(): void {
		if (this.#isStarted) return this.statusChanged();
		this.#isStarted = true;
		for (const { replica } of this.#held.values()) replica.start();
	}

	get(topic: string): TopicReplica | undefined {
		return this.#held.get(topic)?.replica;
	}

	/** Follows a topic, until `release` has been called as often. */
	hold(topic: string, rule: PresenceRule): TopicReplica {
		let held = this.#held.get(topic);
		if (held === undefined) {
			const { onTell } = this.#options;
			const replica = new TopicReplica(topic, rule, this.#context, (change, frame) => onTell(topic, change, frame));
			held = { replica, holders: 0, grace: undefined };
			this.#held.set(topic, held);
			if (this.#isStarted) replica.start();
		}
		clearTimeout(held.grace);
		held.holders++;
		return held.replica;
	}

	/** Like `hold`, for a topic that is held. */
	retain(topic: string): void {
		const held = this.#held.get(topic);
		if (held !== undefined) held.holders++;
	}

	release(topic: string): void {
		const held = this.#held.get(topic);
		if (held === undefined || --held.holders > 0) return;
		held.grace = setTimeout(() => {
			this.#held.delete(topic);
			held.replica.close();
			this.#options.unsubscribeNode(presenceChannel(topic), 0);
		}, this.#options.graceMs).unref();
	}

	/** Called when the members of a topic have changed at the backend. @param isOwn whether by this node */
	received(topic: string, content: PresenceContent, isOwn: boolean): void {
		this.#held.get(topic)?.replica.received(content, isOwn);
	}

	/** Called when a member of this node has come, left or changed. */
	ownChanged(topic: string, key: string): void {
		this.#held.get(topic)?.replica.ownChanged(key);
	}

	/** Called when changes of this node have been stored. */
	ownStored(topic: string, state: PresenceState): void {
		this.#held.get(topic)?.replica.ownStored(state);
	}

	/** Called when frames may have been missed on channels. */
	missed(isAffected: (channel: string) => boolean): void {
		for (const [topic, { replica }] of this.#held) if (isAffected(presenceChannel(topic))) replica.missed();
	}

	/** Called when the backend may have lost what it had of some topics. */
	lost(isAffected: (topic: string) => boolean): void {
		for (const [topic, { replica }] of this.#held) if (isAffected(topic)) replica.missed();
	}

	/** Called when the backend has become available or unavailable. */
	statusChanged(): void {
		for (const { replica } of this.#held.values()) replica.statusChanged();
	}

	/** Yields the channels that this node must be subscribed to. */
	*channels(): Generator<string> {
		for (const topic of this.#held.keys()) yield presenceChannel(topic);
	}
}
