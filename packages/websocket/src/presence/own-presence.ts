import type { FailureLog } from '../support/failure-log.ts';
import { settledWithin } from '../support/promises.ts';
import type { RegisteredSocket } from '../sockets/registry.ts';
import type { Member } from './own-member.ts';
import { OutageLog } from './outage-log.ts';
import { OwnMembers } from './own-members.ts';
import type { PresenceInfo } from './presence-contract.ts';
import { OwnLease } from './presence-lease.ts';
import type { PresenceRule } from './presence-rules.ts';
import { MAX_INFO_BYTES, type PresenceState, type PresenceStore } from './presence-store.ts';
import { PresenceSweeper } from './presence-sweeper.ts';
import { membersUpTo, PresenceWriter } from './presence-writer.ts';

export interface OwnPresenceOptions {
	readonly store: PresenceStore;
	readonly nodeId: string;
	/** Returns how a topic's presence is kept; undefined if it is not. */
	ruleOf(topic: string): PresenceRule | undefined;
	/** Says what the server knows of a socket's user. What it throws is logged: the socket then has no such info. */
	describe(socket: RegisteredSocket, topic: string): PresenceInfo | undefined;
	/** The largest info, in bytes of its JSON in UTF-8. Default {@link MAX_INFO_BYTES}. */
	readonly infoBytes?: number | undefined;
	/** Called synchronously when a member of this node has come, left or changed. */
	onChange(topic: string, key: string): void;
	/** Called when changes of this node's members in a topic have been stored. */
	onStored?(topic: string, state: PresenceState): void;
	/** See `onTime` of {@link OwnLease}. */
	onTime?(backendMs: number, at: number): void;
	/** Called when the backend may have lost what it had of some topics. */
	onLost?(isAffected: (topic: string) => boolean): void;
	/** Returns whether the backend is available. */
	isReady(): boolean;
	/**
	 * Returns the start of the change frames that this node causes: see `encodePresenceHeader`.
	 *
	 * @param topic undefined for the frames of a sweep
	 */
	header(topic: string | undefined): Uint8Array;
	readonly failures: FailureLog;
}

/** How long `stop` waits for the backend, in milliseconds. */
const STOP_MS = 1_000;
/** How much of it is for what is not stored yet. */
const FLUSH_MS = 750;

/**
 * Keeps this node's members at the store, under its lease, and removes those of nodes that have ended without a word.
 * Its members are known here also while the backend is not available, or before `start`.
 */
export class OwnPresence {
	readonly members: OwnMembers;
	readonly #options: OwnPresenceOptions;
	readonly #writer: PresenceWriter;
	readonly #lease: OwnLease;
	readonly #sweeper: PresenceSweeper;
	/** Whether a generation has held since the start. */
	#hasHeld = false;

	constructor(options: OwnPresenceOptions) {
		const { store, nodeId, infoBytes = MAX_INFO_BYTES, failures } = options;
		this.#options = options;
		const report = (thrown: unknown): void => failures.report(thrown, 'presence');
		const outages = new OutageLog(report);
		this.#lease = new OwnLease({
			store,
			nodeId,
			onHeld: () => this.#onHeld(),
			onTime: (backendMs, at) => options.onTime?.(backendMs, at),
			onExpired: (leases, askedAt) => this.#sweeper.sweep(leases, askedAt),
			outages,
		});
		this.#sweeper = new PresenceSweeper({
			store,
			header: () => options.header(undefined),
			membersUpTo: (topic) => this.#membersUpTo(topic),
			isReady: () => options.isReady(),
			// A sweep that has failed is handed to another node, so it says nothing of an outage.
			outages: new OutageLog(report),
		});
		this.#writer = new PresenceWriter({
			store,
			lease: (now) => this.#lease.held(now),
			onLeaseLost: (lease) => this.#lease.lost(lease),
			header: (topic) => options.header(topic),
			topics: () => this.members.topics(),
			onStored: (member) => this.members.forget(member),
			onApplied: (topic, state) => options.onStored?.(topic, state),
			outages,
		});
		this.members = new OwnMembers({
			ruleOf: (topic) => options.ruleOf(topic),
			describe: (socket, topic) => options.describe(socket, topic),
			infoBytes,
			isReady: () => options.isReady(),
			onChange: (topic, key) => options.onChange(topic, key),
			onDirty: (member: Member) => this.#writer.changed(member),
			settled: (topic) => this.#writer.settled(topic),
			onError: (thrown, topic) => failures.report(thrown, 'presence', { topic }),
		});
		store.onLost((isAffected) => this.#onLost(isAffected));
	}

	#membersUpTo(topic: string): number {
		const rule = this.#options.ruleOf(topic);
		return rule === undefined ? 0 : membersUpTo(rule);
	}

	/**
	 * Called when the bus has started. Takes a lease, and stores all members. Resolves once the lease was asked for.
	 * Never rejects: what fails is tried again.
	 */
	start(): Promise<void> {
		this.#hasHeld = false;
		this.#writer.start();
		this.#sweeper.start();
		return this.#lease.start();
	}

	/** Called when the backend is available again. */
	ready(): void {
		this.members.ready();
		void this.#lease.renew();
		this.#writer.ready();
	}

	/** Called when the backend is no longer available. Members stay as they are. */
	away(): void {
		this.#writer.giveUp();
	}

	#onHeld(): void {
		if (this.#hasHeld) this.#sweeper.wasAway(performance.now());
		this.#hasHeld = true;
		this.#writer.putAll();
	}

	#onLost(isAffected: (topic: string) => boolean): void {
		this.#options.onLost?.(isAffected);
		this.members.removeAgain(isAffected);
		this.#writer.putSome(isAffected);
		this.#lease.check();
	}

	/**
	 * Called before the bus stops. Stores what is not stored yet, and leaves the members their delay to come back on
	 * another node. Sockets may stay: after another `start`, they are members again. Takes at most a second.
	 */
	async stop(): Promise<void> {
		const { store, isReady } = this.#options;
		const startedAt = performance.now();
		const left = (): number => STOP_MS - (performance.now() - startedAt);
		if (isReady()) await this.#writer.leave(FLUSH_MS);
		await settledWithin(left(), Promise.all([this.#lease.stop(), this.#sweeper.stop()]));
		const lease = this.#lease.held(performance.now());
		if (lease !== undefined && isReady()) await settledWithin(left(), store.release(lease, this.#longestDelay()));
		this.#lease.end();
		this.#writer.stop();
	}

	/** How long the members whose leaving could not be stored may stay. */
	#longestDelay(): number {
		let longest = 0;
		for (const { rule } of this.members.topics()) longest = Math.max(longest, rule.leaveDelayMs);
		return longest;
	}
}
