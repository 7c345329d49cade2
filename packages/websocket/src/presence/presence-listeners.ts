import type { FailureLog } from '../support/failure-log.ts';
import { Listeners } from '../support/listeners.ts';
import type { PresenceChange } from './presence-contract.ts';
import type { PresenceReplicas } from './presence-replicas.ts';
import type { PresenceRule } from './presence-rules.ts';

type Listener = (change: PresenceChange) => unknown;

interface OfTopic {
	readonly listeners: Listeners<PresenceChange>;
	count: number;
}

/** The application's listeners, by topic. */
export class PresenceListeners {
	readonly #replicas: PresenceReplicas;
	readonly #failures: FailureLog;
	readonly #topics = new Map<string, OfTopic>();

	constructor(replicas: PresenceReplicas, failures: FailureLog) {
		this.#replicas = replicas;
		this.#failures = failures;
	}

	/** Adds a listener, and follows the topic for it. Returns a function that removes it. */
	add(topic: string, rule: PresenceRule, listener: Listener): () => void {
		let ofTopic = this.#topics.get(topic);
		if (ofTopic === undefined) this.#topics.set(topic, (ofTopic = this.#ofTopic(topic)));
		const { listeners } = ofTopic;
		const remove = listeners.add(listener);
		ofTopic.count++;
		this.#replicas.hold(topic, rule);
		let isAdded = true;
		return () => {
			if (!isAdded) return;
			isAdded = false;
			remove();
			const left = this.#topics.get(topic);
			if (left !== undefined && --left.count === 0) this.#topics.delete(topic);
			this.#replicas.release(topic);
		};
	}

	#ofTopic(topic: string): OfTopic {
		const listeners = new Listeners<PresenceChange>((thrown) =>
			this.#failures.report(thrown, 'presence.onChange', { topic }),
		);
		return { listeners, count: 0 };
	}

	tell(change: PresenceChange): void {
		this.#topics.get(change.topic)?.listeners.call(change);
	}
}
