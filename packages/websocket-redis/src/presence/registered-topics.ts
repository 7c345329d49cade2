import type { PresenceLease } from '@orijs/websocket';
import { encodeRegistration } from './lease-bytes.ts';

/** The most topics of one command. */
const TOPICS_AT_A_TIME = 500;

/** How many commands have registered topics. */
let registrations = 0;

/** Registers topics at the backend, and unregisters them. */
export interface TopicRegistry {
	/** @throws {PresenceLeaseLostError} the lease does not hold */
	register(lease: PresenceLease, number: number, topics: readonly string[]): Promise<void>;
	/** Unregisters topics, each with what it was registered with: if it has been registered again, it stays so. */
	unregister(lease: PresenceLease, topics: readonly (readonly [topic: string, registration: Buffer])[]): Promise<void>;
}

/** A topic in which a lease may have records. */
export interface RegisteredTopic {
	/** The number with which it is registered. */
	readonly number: number;
	/** Pending until it is registered. */
	registering: Promise<void> | undefined;
	/** The epoch in which the lease has records; undefined if it has none, as far as is known. */
	epoch: string | undefined;
	/** How many changes of the topic are on their way. */
	inFlight: number;
}

/**
 * The topics in which a lease may have records. A topic is registered at the backend before the first of them, so that
 * a sweep finds it, and unregistered some time after the last one was removed.
 */
export class RegisteredTopics {
	readonly lease: PresenceLease;
	readonly #registry: TopicRegistry;
	readonly #topics = new Map<string, RegisteredTopic>();
	/** Those without records. */
	readonly #idle = new Set<string>();
	/** The topics that are registered at the end of the synchronous run. */
	#waiting: { readonly topics: string[]; readonly number: number; readonly registering: Promise<void> } | undefined;

	constructor(lease: PresenceLease, registry: TopicRegistry) {
		this.lease = lease;
		this.#registry = registry;
	}

	/** Called before changes are applied to a topic. Wait for its `registering` if that is set. */
	begin(topic: string): RegisteredTopic {
		let registered = this.#topics.get(topic);
		if (registered === undefined) {
			registered = this.#register(topic);
			this.#topics.set(topic, registered);
		}
		registered.inFlight++;
		this.#idle.delete(topic);
		return registered;
	}

	/**
	 * Called when changes are no longer on their way.
	 *
	 * @param epoch undefined if it is not known whether they were applied
	 * @param records how many the lease now has in the topic
	 */
	end(topic: string, registered: RegisteredTopic, epoch?: string, records = 0): void {
		registered.inFlight--;
		if (epoch === undefined) return;
		registered.epoch = records > 0 ? epoch : undefined;
		if (records === 0 && this.#topics.get(topic) === registered) this.#idle.add(topic);
	}

	/** Called if the backend has lost a topic: it is registered again. */
	forget(topic: string): void {
		this.#topics.delete(topic);
		this.#idle.delete(topic);
	}

	/** Unregisters the topics in which the lease has no records. */
	async cutBack(): Promise<void> {
		const topics: [string, Buffer][] = [];
		for (const topic of this.#idle) {
			const registered = this.#topics.get(topic);
			if (registered === undefined || registered.inFlight > 0) continue;
			// From now on, it is registered again before anything is put.
			this.forget(topic);
			topics.push([topic, encodeRegistration(this.lease.generation, registered.number)]);
		}
		for (let at = 0; at < topics.length; at += TOPICS_AT_A_TIME) {
			await this.#registry.unregister(this.lease, topics.slice(at, at + TOPICS_AT_A_TIME));
		}
	}

	#register(topic: string): RegisteredTopic {
		let waiting = this.#waiting;
		if (waiting === undefined || waiting.topics.length === TOPICS_AT_A_TIME) {
			const topics: string[] = [];
			const number = ++registrations;
			this.#waiting = waiting = { topics, number, registering: this.#registerAll(topics, number) };
		}
		waiting.topics.push(topic);
		return { number: waiting.number, registering: waiting.registering, epoch: undefined, inFlight: 0 };
	}

	async #registerAll(topics: readonly string[], number: number): Promise<void> {
		// Until the end of the synchronous run, others join.
		await Promise.resolve();
		if (this.#waiting?.topics === topics) this.#waiting = undefined;
		try {
			await this.#registry.register(this.lease, number, topics);
			for (const topic of topics) this.#settle(topic, number);
		} catch (error) {
			for (const topic of topics) if (this.#topics.get(topic)?.number === number) this.forget(topic);
			throw error;
		}
	}

	#settle(topic: string, number: number): void {
		const registered = this.#topics.get(topic);
		if (registered?.number === number) registered.registering = undefined;
	}
}
