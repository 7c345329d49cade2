import {
	APPLIED_WITHIN_MS,
	type PresenceBatch,
	type PresenceLease,
	PresenceLeaseLostError,
	type PresenceOp,
	type PresenceState,
	randomEpoch,
	type StoredMember,
	type SweepOptions,
} from '@orijs/websocket';
import { presenceChannel } from '@orijs/websocket/internal';
import type { Redis } from 'ioredis';
import { ServerClocks } from '../server/server-clocks.ts';
import { applyScripts, LATE, LOST, NO_LEASE } from './apply-script.ts';
import { topicKeys } from './keys.ts';
import { encodeNode, readLease } from './lease-bytes.ts';
import type { SweptTopic } from './lease-sweeps.ts';
import { readScript } from './read-script.ts';
import type { ScriptArgument, ScriptRunner } from './script-runner.ts';
import { entriesOf, membersOf, readMember, readState, sortedAfter } from './stored-topic.ts';
import { sweepScripts } from './sweep-script.ts';
import type { Publish } from './topic-common.ts';

export interface TopicStoreOptions {
	readonly keyPrefix: string;
	readonly publish: Publish;
	/** Returns the prefix of the names of channels on Redis. */
	readonly channelPrefix: () => string;
	readonly runner: ScriptRunner;
}

/** Thrown if nothing was applied: it may be if it is tried again. */
export class TryAgain extends Error {
	/** Whether the server has lost the topic. */
	readonly isLost: boolean;
	constructor(isLost: boolean) {
		super();
		this.isLost = isLost;
	}
}

/** The outcome of changes. */
export interface Applied extends PresenceState {
	/** How many records the lease now has in the topic. */
	readonly records: number;
	/** If no epoch was expected: the other leases that have records in the topic. */
	readonly others: readonly PresenceLease[];
}

export interface Page extends PresenceState {
	readonly members: readonly StoredMember[];
	readonly skipped: number;
	/** The last key of the page, whether or not it could be read, if there are more members after it. */
	readonly end: Buffer | undefined;
	/** The leases that have records in the topic. */
	readonly leases: readonly PresenceLease[];
}

/** The members of topics, each on the server that carries its changes. */
export class TopicStore {
	readonly #options: TopicStoreOptions;
	readonly #clocks = new ServerClocks();
	/** Grows each time the outcome of changes is unknown. */
	#attempt = 0;

	constructor(options: TopicStoreOptions) {
		this.#options = options;
	}

	/**
	 * Applies changes, but not later than {@link APPLIED_WITHIN_MS} after `calledAt`, by the monotonic clock.
	 *
	 * @param epoch the one in which the lease has records in the topic; undefined if it may have none
	 * @throws {TryAgain}
	 * @throws {PresenceLeaseLostError}
	 */
	async apply(topic: string, batch: PresenceBatch, epoch: string | undefined, calledAt: number): Promise<Applied> {
		const { lease, header, ops, membersUpTo } = batch;
		const { runner, publish } = this.#options;
		const client = runner.clientOf(presenceChannel(topic));
		const deadline = calledAt + APPLIED_WITHIN_MS;
		if (this.#clocks.timeOn(client, deadline) === undefined) await this.#learnClock(client);
		const args = [
			this.#redisChannel(topic),
			bufferOf(header),
			newEpoch(),
			epoch ?? '',
			encodeNode(lease.nodeId),
			lease.generation,
			this.#attempt,
			Math.ceil(this.#clocks.timeOn(client, deadline) ?? Number.MAX_SAFE_INTEGER),
			membersUpTo,
		];
		for (const op of ops) pushOp(args, op);
		const script = applyScripts[publish][ops.some(({ kind }) => kind === 'put') ? 'put' : 'remove'];
		const sentAt = performance.now();
		try {
			const reply = (await runner.run(client, script, this.#keysOf(topic), args)) as ApplyReply;
			const [serverMs, epochBytes, n, count, records, ...others] = reply;
			this.#clocks.learn(client, serverMs, sentAt);
			const version = epochBytes === null ? undefined : { epoch: epochBytes.toString('latin1'), n };
			return { version, count, records, others: others.map((bytes) => readLease(bytes)) };
		} catch (error) {
			const [code, text] = error instanceof Error ? error.message.split(' ', 2) : [];
			if (code === NO_LEASE) throw new PresenceLeaseLostError();
			if (code === LOST) throw new TryAgain(true);
			if (code === LATE) {
				// Either the changes came too late, or the server's clock has been set.
				this.#clocks.learnAgain(client, Number(text), sentAt);
				throw performance.now() > deadline ? error : new TryAgain(false);
			}
			// They may still take effect, but must not do so after later ones.
			this.#attempt++;
			throw error;
		}
	}

	/** @param after a key, or an empty text @param limit the most members; 0 for only the state */
	async read(topic: string, after: string | Buffer, limit: number): Promise<Page> {
		const { runner } = this.#options;
		const client = runner.clientOf(presenceChannel(topic));
		const reply = await runner.run(client, readScript, this.#keysOf(topic), [after, limit]);
		const [stateBytes, form, ...flat] = reply as readonly [Buffer | null, number, ...(Buffer | null)[]];
		const all = entriesOf(flat);
		const state = readState(stateBytes, all);
		const entries = form === 0 ? sortedAfter(membersOf(all), after) : membersOf(all);
		const shown = entries.slice(0, limit);
		const members: StoredMember[] = [];
		// If the key holds something else, that is one entry that can't be read.
		let skipped = form < 0 ? 1 : 0;
		for (const [key, value] of shown) {
			const member = readMember(key, value, state);
			if (member === undefined) skipped++;
			else members.push(member);
		}
		const end = limit > 0 && entries.length > limit ? shown.at(-1)?.[0] : undefined;
		return { version: state.version, count: state.count, members, skipped, end, leases: state.inUse };
	}

	/** See {@link SweepSteps.sweepTopic}. */
	async sweep(lease: PresenceLease, topic: string, isDueOnly: boolean, options: SweepOptions): Promise<SweptTopic> {
		const { runner, publish } = this.#options;
		const args = [
			this.#redisChannel(topic),
			bufferOf(options.header),
			newEpoch(),
			encodeNode(lease.nodeId),
			lease.generation,
			isDueOnly ? 1 : 0,
			options.membersUpTo(topic),
		];
		const swept = { removed: 0, left: 0, soonest: 0 };
		let cursor = '0';
		do {
			const client = runner.clientOf(presenceChannel(topic));
			const reply = await runner.run(client, sweepScripts[publish], this.#keysOf(topic), [...args, cursor]);
			const [next, removed, left, soonest] = reply as readonly [Buffer, number, number, number];
			cursor = next.toString();
			swept.removed += removed;
			swept.left = left;
			if (soonest > 0) swept.soonest = swept.soonest === 0 ? soonest : Math.min(swept.soonest, soonest);
		} while (cursor !== '0');
		return swept;
	}

	async #learnClock(client: Redis): Promise<void> {
		const sentAt = performance.now();
		const [seconds, micros] = await client.time();
		this.#clocks.learn(client, Number(seconds) * 1_000 + Number(micros) / 1_000, sentAt);
	}

	#redisChannel(topic: string): string {
		return this.#options.channelPrefix() + presenceChannel(topic);
	}

	#keysOf(topic: string): readonly string[] {
		return topicKeys(this.#options.keyPrefix, topic);
	}
}

/** What the script that applies changes returns. */
type ApplyReply = readonly [
	serverMs: number,
	epoch: Buffer | null,
	n: number,
	count: number,
	records: number,
	...others: Buffer[],
];

/** Adds the arguments of a change: its kind, the key, connections or milliseconds, the age, the info and its age. */
function pushOp(args: ScriptArgument[], op: PresenceOp): void {
	switch (op.kind) {
		case 'put':
			args.push('put', op.key, op.connections, Math.round(op.ageMs), op.info ?? '', Math.round(op.infoAgeMs ?? 0));
			break;
		case 'linger':
			args.push('linger', op.key, Math.round(op.ms), 0, '', 0);
			break;
		default:
			args.push(op.kind, op.key, 0, 0, '', 0);
	}
}

/** Returns a new epoch: 48 random bits. */
function newEpoch(): string {
	return randomEpoch().slice(0, 8);
}

function bufferOf(bytes: Uint8Array): Buffer {
	return bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
