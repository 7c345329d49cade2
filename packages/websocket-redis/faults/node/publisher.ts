import type { RedisWsProvider } from '../../src/index.ts';
import { encodeMessage } from '../counting/message.ts';
import type { Channel } from '../counting/run.ts';
import type { Journal } from './journal.ts';
import type { SentMessages } from './protocol.ts';

export interface PublisherOptions {
	/** The node's. */
	readonly name: string;
	readonly provider: RedisWsProvider;
	/** The clock of the counting process. */
	readonly now: () => number;
	readonly journal: Journal | undefined;
}

/** Publishes numbered messages and records their outcomes. */
export class Publisher {
	readonly sent: Map<Channel, SentMessages> = new Map();
	readonly rejections: Map<string, number> = new Map();
	readonly #name: string;
	readonly #provider: RedisWsProvider;
	readonly #now: () => number;
	readonly #journal: Journal | undefined;

	constructor({ name, provider, now, journal }: PublisherOptions) {
		this.#name = name;
		this.#provider = provider;
		this.#now = now;
		this.#journal = journal;
	}

	toTopic(topic: string, padding?: string): void {
		this.#watch(topic, padding, (text) => this.#provider.publish(topic, text));
	}

	toSocket(receiver: string, socketId: string): void {
		this.#watch(`@${receiver}`, undefined, (text) => this.#provider.send(socketId, text));
	}

	/** Sends a broadcast and ignores its promise, as most applications do, which must be harmless. */
	toAll(): void {
		const { text } = this.#next('*', 'unwatched');
		void this.#provider.broadcast(text);
	}

	#watch(channel: Channel, padding: string | undefined, publish: (text: string) => Promise<void>): void {
		const { text, number, messages } = this.#next(channel, 'pending', padding);
		publish(text).then(
			() => {
				messages.outcome[number] = 'accepted';
			},
			(error: Error) => {
				messages.outcome[number] = 'rejected';
				this.rejections.set(error.name, (this.rejections.get(error.name) ?? 0) + 1);
			},
		);
	}

	#next(
		channel: Channel,
		outcome: 'pending' | 'unwatched',
		padding?: string,
	): { text: string; number: number; messages: SentMessages } {
		let messages = this.sent.get(channel);
		if (messages === undefined) this.sent.set(channel, (messages = { publishedAt: [], sentAt: [], outcome: [] }));
		const publishedAt = Date.now();
		const sentAt = this.#now();
		this.#journal?.(channel, publishedAt, sentAt);
		const number = messages.publishedAt.push(publishedAt) - 1;
		messages.sentAt.push(sentAt);
		messages.outcome.push(outcome);
		return { text: encodeMessage(this.#name, channel, number, padding), number, messages };
	}
}
