import { type RedisServer, until } from '@orijs/testkit';
import type { PresenceWork } from '../subjects/requests.ts';
import type { Bench } from './bench.ts';
import type { ClientGroup } from './client-group.ts';
import { keyBytes } from './key-bytes.ts';
import type { SubjectKind } from './subject-kind.ts';
import { Testbed } from './testbed.ts';

/** Half of those who watch have their frames counted, the other half their bytes. */
const WATCHERS = 10;
/** The first client that does not watch. */
const FIRST = 2 * WATCHERS;
/** How long the last changes may take after a topic looks complete, in milliseconds. */
const SETTLE_MS = 100;
/** Longer than any interval in which changes are gathered, in milliseconds. */
const QUIET_MS = 2_000;
const COMPLETE_WITHIN_MS = 120_000;

/** Processor time, in nanoseconds. */
export interface PresenceCost {
	readonly redisNs: number;
	readonly nodeNs: number;
}

export interface StormCost extends PresenceCost {
	/** What each client that watches was sent. */
	readonly frames: number;
	readonly bytes: number;
}

/** A subject on one node whose clients join and leave topics, each of which is used by one measurement. */
export class PresenceGroup {
	readonly #bench: Bench;
	readonly #testbed: Testbed;
	readonly #countingBytes: ClientGroup;

	private constructor(bench: Bench, testbed: Testbed, countingBytes: ClientGroup) {
		this.#bench = bench;
		this.#testbed = testbed;
		this.#countingBytes = countingBytes;
	}

	/** Starts a subject with `clients` clients, and others that watch. */
	static async open(bench: Bench, kind: SubjectKind, clients: number): Promise<PresenceGroup> {
		const testbed = await Testbed.open(bench, kind, { clients: withoutTopics(WATCHERS), nodes: 1 });
		const countingBytes = await testbed.connect(withoutTopics(WATCHERS));
		await testbed.connect(withoutTopics(clients));
		return new PresenceGroup(bench, testbed, countingBytes);
	}

	get #redis(): RedisServer {
		return this.#testbed.redis as RedisServer;
	}

	/**
	 * Clients join topics that have a member already, one each in rotation, and leave them. Resolves with the cost of a
	 * round.
	 */
	async churn(topics: readonly string[], clients: number): Promise<PresenceCost> {
		// Keeps the topics alive, so that only their members change.
		await this.#join(topics, { from: FIRST, clients: 1, all: true }, 1);
		const work = { from: FIRST + 1, clients };
		const round = async (): Promise<void> => {
			await this.#join(topics, work, 1 + clients / topics.length);
			await this.#leave(topics, work, 1);
		};
		await round();
		const { rounds } = this.#bench.effort;
		const used = this.#meter();
		for (let at = 0; at < rounds; at++) await round();
		const { redisNs, nodeNs } = used();
		await this.#leave(topics, { from: FIRST, clients: 1, all: true }, 0);
		return { redisNs: redisNs / rounds, nodeNs: nodeNs / rounds };
	}

	/** Clients join all topics, and stay. Resolves with the memory of Redis that this takes, in bytes. */
	async populate(topics: readonly string[], clients: number): Promise<number> {
		const before = await keyBytes(this.#redis);
		await this.#join(topics, { from: FIRST, clients, all: true }, clients);
		await until(async () => (await this.#count(topics)) === clients * topics.length, {
			what: 'all members are stored',
			timeoutMs: COMPLETE_WITHIN_MS,
		});
		return (await keyBytes(this.#redis)) - before;
	}

	/** Does nothing. */
	async idle(ms: number): Promise<PresenceCost> {
		const used = this.#meter();
		await Bun.sleep(ms);
		return used();
	}

	/** Clients join a topic that others watch, at a rate. */
	async storm(topic: string, clients: number, perSecond: number): Promise<StormCost> {
		const { publisher, group: countingFrames } = this.#testbed;
		await this.#join([topic], { from: 0, clients: FIRST }, FIRST);
		await publisher.ask({ do: 'watch', clients: FIRST, topic });
		const quietMs = this.#bench.scaled(QUIET_MS);
		await Bun.sleep(quietMs);
		const counting = { creditPort: publisher.description.creditPort, confirmEach: Infinity };
		await countingFrames.startCounting({ ...counting, messageBytes: 1 });
		await this.#countingBytes.startCounting(counting);
		const used = this.#meter();
		await this.#join([topic], { from: FIRST, clients, perSecond }, FIRST + clients);
		const [frames, bytes] = await Promise.all(
			[countingFrames, this.#countingBytes].map((group) => group.waitForBytes({ bytes: Infinity, stallMs: quietMs })),
		);
		return { ...used(), frames: (frames?.bytes ?? NaN) / WATCHERS, bytes: (bytes?.bytes ?? NaN) / WATCHERS };
	}

	/** Clients leave all topics that {@link populate} has filled. */
	empty(topics: readonly string[], clients: number): Promise<void> {
		return this.#leave(topics, { from: FIRST, clients, all: true }, 0);
	}

	#join(topics: readonly string[], work: Omit<PresenceWork, 'topics'>, eachTopic: number): Promise<void> {
		return this.#move('join', { ...work, topics }, eachTopic);
	}

	#leave(topics: readonly string[], work: Omit<PresenceWork, 'topics'>, eachTopic: number): Promise<void> {
		return this.#move('leave', { ...work, topics }, eachTopic);
	}

	/** Resolves once the last topic has `eachTopic` members, at the backend. */
	async #move(action: 'join' | 'leave', work: PresenceWork, eachTopic: number): Promise<void> {
		await this.#testbed.publisher.ask({ do: action, ...work });
		const last = work.topics.slice(-1);
		let count = NaN;
		await until(async () => (count = await this.#count(last)) === eachTopic, {
			what: () => `the last topic has ${eachTopic} members, not ${count}`,
			timeoutMs: COMPLETE_WITHIN_MS,
		});
		await Bun.sleep(this.#bench.scaled(SETTLE_MS));
	}

	#count(topics: readonly string[]): Promise<number> {
		return this.#testbed.publisher.ask<number>({ do: 'count-members', topics });
	}

	#meter(): () => PresenceCost {
		const used = this.#testbed.meter();
		return () => {
			const { redis = NaN, server = NaN } = used();
			return { redisNs: redis, nodeNs: server };
		};
	}

	close(): Promise<void> {
		return this.#testbed.close();
	}
}

function withoutTopics(clients: number): readonly (readonly string[])[] {
	return Array.from({ length: clients }, () => []);
}
