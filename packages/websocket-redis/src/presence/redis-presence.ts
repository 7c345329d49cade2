import {
	APPLIED_WITHIN_MS,
	type PresenceBatch,
	type PresenceLease,
	PresenceLeaseLostError,
	type PresenceOp,
	type PresenceQuery,
	type PresenceState,
	type PresenceStore,
	randomEpoch,
	type Renewal,
	type StoredMember,
	type StoredPresence,
	type Sweep,
	type SweepOptions,
} from '@orijs/websocket';
import { presenceChannel } from '@orijs/websocket/internal';
import type { Redis } from 'ioredis';
import { mustBeReady } from '../server/client-options.ts';
import type { RedisScript } from '../server/redis-script.ts';
import { ServerClocks } from '../server/server-clocks.ts';
import { applyScripts, LATE, LOST, NO_LEASE } from './apply-script.ts';
import { leaseKeys, LEASES_CHANNEL, topicKeys } from './keys.ts';
import { encodeLease, encodeNode, readLease } from './lease-bytes.ts';
import { leaseScripts } from './lease-scripts.ts';
import { LeaseSweeps, type SweptTopic, type TopicList } from './lease-sweeps.ts';
import { PresenceProbe } from './presence-probe.ts';
import type { PresenceServers } from './presence-servers.ts';
import { readScript } from './read-script.ts';
import { type RegisteredTopic, RegisteredTopics } from './registered-topics.ts';
import { ShardMarks } from './shard-marks.ts';
import { readMember, readState } from './stored-topic.ts';
import { sweepScripts } from './sweep-script.ts';
import type { Publish } from './topic-common.ts';

export interface RedisPresenceOptions {
	/**
	 * Keys begin with `{keyPrefix:`. Unlike channels, they belong to a database, so its number is not part of their
	 * names.
	 */
	readonly keyPrefix: string;
	readonly publish: Publish;
}

/** Keeps the members of each topic on the server that carries their changes, and all leases on one server. */
export class RedisPresence implements PresenceStore {
	readonly #keyPrefix: string;
	readonly #publish: Publish;
	readonly #servers: PresenceServers;
	readonly #clocks = new ServerClocks();
	readonly #marks: ShardMarks;
	readonly #sweeps: LeaseSweeps;
	/** By the id of the node. */
	readonly #registered = new Map<string, RegisteredTopics>();
	#lost: (isAffected: (topic: string) => boolean) => void = () => {};
	/** Grows each time the outcome of changes is unknown. */
	#attempt = 0;

	constructor({ keyPrefix, publish }: RedisPresenceOptions, servers: PresenceServers) {
		this.#keyPrefix = keyPrefix;
		this.#publish = publish;
		this.#servers = servers;
		this.#marks = new ShardMarks(keyPrefix, servers);
		this.#sweeps = new LeaseSweeps({
			list: (lease, cursor, limit) => this.#list(lease, cursor, limit),
			sweepTopic: (lease, topic, isDueOnly, options) => this.#sweepTopic(lease, topic, isDueOnly, options),
			settle: async (lease, topics, next) => {
				await this.#runOnLease(leaseScripts.unregister, lease, [next, ...topics.flat()]);
			},
		});
	}

	/**
	 * Checks which commands the user may use on every server, and tries the scripts. Passing failures are ignored.
	 *
	 * @throws {PresenceUnsupportedError} a server can't keep presence
	 */
	async prepare(): Promise<void> {
		const probe = new PresenceProbe(this.#keyPrefix, this.#publish, this.#servers);
		await Promise.all(this.#servers.heartbeatChannels().map((channel) => probe.run(channel)));
	}

	async apply(topic: string, batch: PresenceBatch): Promise<PresenceState> {
		const calledAt = performance.now();
		const topics = this.#topicsOf(batch.lease);
		for (;;) {
			const registered = topics.begin(topic);
			let reply: ApplyReply;
			try {
				if (registered.registering !== undefined) await registered.registering;
				reply = await this.#applyOnce(topic, batch, registered, calledAt);
			} catch (error) {
				topics.end(topic, registered);
				if (!(error instanceof TryAgain)) throw error;
				if (error.isLost) this.#topicLost(topics, topic);
				continue;
			}
			const [, epochBytes, n, count, records] = reply;
			const epoch = epochBytes?.toString('latin1') ?? '';
			topics.end(topic, registered, epoch, records);
			return { version: epochBytes === null ? undefined : { epoch, n }, count };
		}
	}

	async read(topic: string, { after = '', limit }: PresenceQuery): Promise<StoredPresence> {
		let skipped = 0;
		for (let from: string | Buffer = after; ;) {
			const page = await this.#readPage(topic, from, limit);
			skipped += page.skipped;
			// If nothing of the page can be read, a caller would not know where the next one begins.
			if (page.members.length > 0 || page.end === undefined) {
				const { version, count, members } = page;
				return { version, count, members, hasMore: page.end !== undefined, skipped };
			}
			from = page.end;
		}
	}

	async count(topic: string): Promise<PresenceState> {
		const { version, count } = await this.#readPage(topic, '', 0);
		return { version, count };
	}

	async renew(lease: PresenceLease, leaseMs: number, isNew: boolean): Promise<Renewal> {
		const [renewed, lost] = await Promise.all([
			this.#runOnLease(leaseScripts.renew, lease, [leaseMs, isNew ? 1 : 0]),
			this.#marks.check(),
		]);
		for (const client of lost) this.lostOn(client);
		const [isKept, ...expired] = renewed as readonly [number, ...Buffer[]];
		const topics = this.#registered.get(lease.nodeId);
		// What is not unregistered now is found without records by a sweep.
		if (topics?.lease.generation === lease.generation) topics.cutBack().catch(() => {});
		return { isKept: isKept === 1, expired: expired.map((bytes) => readLease(bytes)) };
	}

	sweep(lease: PresenceLease, options: SweepOptions): Promise<Sweep> {
		return this.#sweeps.sweep(lease, options);
	}

	async release(lease: PresenceLease, afterMs: number): Promise<void> {
		const topics = this.#registered.get(lease.nodeId);
		if (topics?.lease.generation === lease.generation) {
			this.#registered.delete(lease.nodeId);
			await topics.cutBack();
		}
		await this.#runOnLease(leaseScripts.release, lease, [afterMs]);
	}

	onLost(listener: (isAffected: (topic: string) => boolean) => void): void {
		this.#lost = listener;
	}

	/** Called when a server may have lost records. @param client its client; without it, all servers are meant */
	lostOn(client?: Redis): void {
		this.#lost((topic) => client === undefined || this.#isOn(client, topic));
	}

	// Topics

	/** @throws {TryAgain} if nothing was applied, and it may be if it is tried again */
	async #applyOnce(
		topic: string,
		{ lease, header, ops, membersUpTo }: PresenceBatch,
		{ epoch }: RegisteredTopic,
		calledAt: number,
	): Promise<ApplyReply> {
		const client = this.#readyClientOf(presenceChannel(topic));
		const deadline = calledAt + APPLIED_WITHIN_MS;
		if (this.#clocks.timeOn(client, deadline) === undefined) await this.#learnClock(client);
		const sentAt = performance.now();
		const args = [
			this.#servers.channelPrefix() + presenceChannel(topic),
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
		const script = applyScripts[this.#publish][ops.some(({ kind }) => kind === 'put') ? 'put' : 'remove'];
		try {
			const reply = (await this.#run(client, script, topicKeys(this.#keyPrefix, topic), args)) as ApplyReply;
			this.#clocks.learn(client, reply[0], sentAt);
			return reply;
		} catch (error) {
			const [code, text] = error instanceof Error ? error.message.split(' ', 2) : [];
			if (code === NO_LEASE) throw new PresenceLeaseLostError();
			if (code === LOST) throw new TryAgain(true);
			if (code === LATE) {
				// Either the changes came too late, or the server's clock has been set.
				this.#clocks.learnAgain(client, Number(text), sentAt);
				if (performance.now() <= deadline) throw new TryAgain(false);
				throw error;
			}
			// They may still take effect, but must not do so after later ones.
			this.#attempt++;
			throw error;
		}
	}

	async #learnClock(client: Redis): Promise<void> {
		const sentAt = performance.now();
		const [seconds, micros] = await client.time();
		this.#clocks.learn(client, Number(seconds) * 1_000 + Number(micros) / 1_000, sentAt);
	}

	/** Called if the backend has lost a topic in which records were applied. */
	#topicLost(topics: RegisteredTopics, topic: string): void {
		topics.forget(topic);
		this.#lost((each) => each === topic);
	}

	/** @param after a key, or an empty text */
	async #readPage(topic: string, after: string | Buffer, limit: number): Promise<Page> {
		const client = this.#readyClientOf(presenceChannel(topic));
		const reply = await this.#run(client, readScript, topicKeys(this.#keyPrefix, topic), [after, limit]);
		const [stateBytes, form, ...fields] = reply as readonly [Buffer | null, number, ...(Buffer | null)[]];
		const state = readState(stateBytes);
		const members: StoredMember[] = [];
		// The key holds something else.
		let skipped = form < 0 ? 1 : 0;
		const entries = form === 0 ? sortedEntries(fields, after) : entriesOf(fields);
		const shown = entries.slice(0, limit);
		for (const [key, value] of shown) {
			const member = readMember(key, value, state);
			if (member === undefined) skipped++;
			else members.push(member);
		}
		const end = limit > 0 && entries.length > limit ? shown.at(-1)?.[0] : undefined;
		return { version: state.version, count: state.count, members, skipped, end };
	}

	#isOn(client: Redis, topic: string): boolean {
		try {
			return this.#servers.clientOf(presenceChannel(topic)) === client;
		} catch {
			// No server has it at the moment.
			return true;
		}
	}

	// Leases

	/** @throws {PresenceLeaseLostError} a later generation is in use */
	#topicsOf(lease: PresenceLease): RegisteredTopics {
		const known = this.#registered.get(lease.nodeId);
		if (known?.lease.generation === lease.generation) return known;
		if (known !== undefined && known.lease.generation > lease.generation) throw new PresenceLeaseLostError();
		const topics = new RegisteredTopics(lease, {
			register: async (each, number, names) => {
				await this.#runOnLease(leaseScripts.register, each, [number, ...names]);
			},
			unregister: async (each, names) => {
				await this.#runOnLease(leaseScripts.unregister, each, [0, ...names.flat()]);
			},
		});
		this.#registered.set(lease.nodeId, topics);
		return topics;
	}

	/** @throws {PresenceLeaseLostError} */
	async #runOnLease(
		script: RedisScript,
		lease: PresenceLease,
		args: readonly (string | number | Buffer)[],
	): Promise<unknown> {
		const client = this.#readyClientOf(LEASES_CHANNEL);
		try {
			const keys = leaseKeys(this.#keyPrefix, lease.nodeId);
			return await this.#run(client, script, keys, [encodeLease(lease), ...args]);
		} catch (error) {
			if (error instanceof Error && error.message.startsWith(`${NO_LEASE} `)) throw new PresenceLeaseLostError();
			throw error;
		}
	}

	async #list(lease: PresenceLease, cursor: string, limit: number): Promise<TopicList | undefined> {
		const reply = await this.#runOnLease(leaseScripts.walk, lease, [cursor, limit]);
		const [mode, endsAt, next, ...fields] = reply as readonly [number, number, Buffer, ...Buffer[]];
		if (mode === 0) return undefined;
		const topics = entriesOf(fields) as [Buffer, Buffer][];
		return { isDueOnly: mode === 2, endsAt, cursor: next.toString(), topics };
	}

	async #sweepTopic(
		lease: PresenceLease,
		topic: string,
		isDueOnly: boolean,
		{ header, membersUpTo }: SweepOptions,
	): Promise<SweptTopic> {
		const channel = presenceChannel(topic);
		const swept = { removed: 0, left: 0, soonest: 0 };
		let cursor = '0';
		do {
			const reply = await this.#run(
				this.#readyClientOf(channel),
				sweepScripts[this.#publish],
				topicKeys(this.#keyPrefix, topic),
				[
					this.#servers.channelPrefix() + channel,
					bufferOf(header),
					newEpoch(),
					encodeNode(lease.nodeId),
					lease.generation,
					isDueOnly ? 1 : 0,
					membersUpTo(topic),
					cursor,
				],
			);
			const [next, removed, left, soonest] = reply as readonly [Buffer, number, number, number];
			cursor = next.toString();
			swept.removed += removed;
			swept.left = left;
			if (soonest > 0) swept.soonest = swept.soonest === 0 ? soonest : Math.min(swept.soonest, soonest);
		} while (cursor !== '0');
		return swept;
	}

	// Servers

	#readyClientOf(channel: string): Redis {
		const client = this.#servers.clientOf(channel);
		mustBeReady(client);
		return client;
	}

	async #run(
		client: Redis,
		script: RedisScript,
		keys: readonly string[],
		args: readonly (string | number | Buffer)[],
	): Promise<unknown> {
		try {
			return await script.run(client, keys, args);
		} catch (error) {
			this.#servers.failed(error);
			throw error;
		}
	}
}

/** What the script that applies changes returns. */
type ApplyReply = readonly [serverMs: number, epoch: Buffer | null, n: number, count: number, records: number];

interface Page extends PresenceState {
	readonly members: readonly StoredMember[];
	readonly skipped: number;
	/** The last key of the page, whether or not it could be read, if there are more members after it. */
	readonly end: Buffer | undefined;
}

/** Nothing was applied. */
class TryAgain extends Error {
	/** Whether the backend has lost the topic. */
	readonly isLost: boolean;
	constructor(isLost: boolean) {
		super();
		this.isLost = isLost;
	}
}

/** Adds the arguments of a change: its kind, the key, connections or milliseconds, the age, the info. */
function pushOp(args: (string | number | Buffer)[], op: PresenceOp): void {
	switch (op.kind) {
		case 'put':
			args.push('put', op.key, op.connections, Math.round(op.ageMs), op.info ?? '');
			break;
		case 'linger':
			args.push('linger', op.key, Math.round(op.ms), 0, '');
			break;
		default:
			args.push(op.kind, op.key, 0, 0, '');
	}
}

/** Returns a new epoch: 48 random bits. */
function newEpoch(): string {
	return randomEpoch().slice(0, 8);
}

function entriesOf(fields: readonly (Buffer | null)[]): [Buffer, Buffer | null][] {
	const entries: [Buffer, Buffer | null][] = [];
	for (let i = 0; i + 1 < fields.length; i += 2) entries.push([fields[i] as Buffer, fields[i + 1] ?? null]);
	return entries;
}

/** Returns the entries of all fields after a key, sorted; without the state. */
function sortedEntries(fields: readonly (Buffer | null)[], after: string | Buffer): [Buffer, Buffer | null][] {
	const from = Buffer.from(after as string);
	const entries = entriesOf(fields).filter(([key]) => key[0] !== 0xff && (from.length === 0 || key.compare(from) > 0));
	return entries.toSorted(([a], [b]) => a.compare(b));
}

function bufferOf(bytes: Uint8Array): Buffer {
	return bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
