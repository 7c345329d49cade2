import type { RequestFault } from '@orijs/websocket/protocol';
import type { Connection } from '../connection/connection.ts';
import { LONG_AGO } from '../connection/server-time.ts';
import type { Failures } from '../failures.ts';
import type { Positions } from '../positions/positions.ts';
import type { Listeners } from '../support/listeners.ts';
import type { ClientTopic, TopicChange } from './subscription.ts';
import type { Topic } from './topic.ts';

const DISCONNECTED: RequestFault = {
	code: 'disconnected',
	message: 'the server has not subscribed the client again',
};

/** The topics that the application wants, and those that the server has chosen. */
export class Topics {
	readonly all: Map<string, Topic> = new Map();
	/**
	 * Those that the server had chosen on an earlier connection, and not yet on this one. If it does so later, they
	 * continue from where they were.
	 */
	readonly #former = new Map<string, Topic>();
	readonly #positions: Positions;
	readonly changes: Listeners<[TopicChange]>;

	constructor(failures: Failures, positions: Positions) {
		this.changes = failures.listeners();
		this.#positions = positions;
	}

	/** Begins a topic, from a saved position if there is one. */
	begin(name: string): Topic {
		const saved = this.#positions.of(name);
		// It is unknown how long ago an earlier client saved the position.
		const missingSince = this.#former.get(name)?.missingSince ?? (saved && LONG_AGO);
		return this.#add({ name, handles: [], saved, position: saved, missingSince });
	}

	/** Called when the server has chosen a topic. */
	choose(name: string, connection: Connection): Topic {
		const former = this.#former.get(name);
		const topic = this.all.get(name) ?? (former ? this.#add(former) : this.begin(name));
		topic.chosenOn = connection;
		return topic;
	}

	#add(topic: Topic): Topic {
		this.#former.delete(topic.name);
		this.all.set(topic.name, topic);
		return topic;
	}

	/** Called when a connection is ready: what the server has not chosen on it, it has ended. */
	open(connection: Connection): void {
		for (const [name, topic] of this.all) {
			if (!topic.chosenOn || topic.chosenOn === connection) continue;
			topic.chosenOn = undefined;
			if (topic.handles.length) continue;
			this.all.delete(name);
			this.#former.set(name, topic);
		}
	}

	/** Tells the application what `open` has found. */
	opened(): void {
		for (const topic of this.#former.values()) this.update(topic, DISCONNECTED);
	}

	/** Called when a connection has been lost. */
	shut(): void {
		this.#former.clear();
	}

	/** Must be called when it may have changed by whom a topic is subscribed to. @param why for one that has ended */
	update(topic: Topic, why?: RequestFault): void {
		const { name, by, handles, chosenOn, isConfirmed } = topic;
		const byServer = handles.length ? 'both' : 'server';
		topic.by = isConfirmed && this.all.get(name) === topic ? (chosenOn ? byServer : 'client') : undefined;
		if (topic.by === by) return;
		if (topic.by) this.changes.call({ topic: name, type: 'subscribed', by: topic.by });
		else if (by)
			this.changes.call({
				topic: name,
				type: 'unsubscribed',
				by,
				...(why && { code: why.code, message: why.message }),
			});
	}

	/** Those that the client is subscribed to. */
	get subscribed(): ClientTopic[] {
		return [...this.all.values()].flatMap(({ name, by, position, isRewinding }) =>
			by ? { topic: name, by, position: isRewinding ? undefined : position } : [],
		);
	}
}
