import { checkListener, checkOptions, checkTopic } from '../call-checks.ts';
import type { ActionResult } from '../cluster/cluster-contract.ts';
import { InvalidOptionError } from '../errors.ts';
import type { FailureLog } from '../support/failure-log.ts';
import type { Lifecycle } from '../support/lifecycle.ts';
import { toError } from '../support/promises.ts';
import { show } from '../support/show.ts';
import { PresenceNotKeptError, PresenceUnavailableError } from './errors.ts';
import type { NodePresence } from './node-presence.ts';
import type { Presence, PresenceChange, PresenceInfo, PresencePage, PresencePageOptions } from './presence-contract.ts';
import { copyInfo, encodeInfo } from './presence-info.ts';
import type { PresenceRule } from './presence-rules.ts';
import { MAX_INFO_BYTES, type PresenceState } from './presence-store.ts';
import { shownMember } from './stored-members.ts';
import type { TopicReplica } from './topic-replica.ts';

export interface ProviderPresenceOptions {
	/** Undefined if the presence of no topic is kept. */
	readonly node: NodePresence | undefined;
	readonly lifecycle: Lifecycle;
	readonly failures: FailureLog;
	/** Changes a member's info on all nodes. */
	readonly update: (topic: string, key: string, change: PresenceInfo) => Promise<ActionResult>;
}

const DEFAULT_LIMIT = 100;
const MOST_MEMBERS = 1_000;
/** The version of a topic that has had no members lately. */
const NO_VERSION = { epoch: '', n: 0 };

/** Implements {@link Presence} for a provider. */
export class ProviderPresence implements Presence {
	readonly #options: ProviderPresenceOptions;

	constructor(options: ProviderPresenceOptions) {
		this.#options = options;
	}

	members(topic: string, options?: PresencePageOptions): Promise<PresencePage> {
		const { node, failures } = this.#options;
		const error = this.#check('presence.members()', topic) ?? checkPage(options);
		if (error !== undefined || node === undefined) return failures.refuse(error ?? new PresenceNotKeptError(topic));
		const { limit = DEFAULT_LIMIT, after } = options ?? {};
		return failures.watch(this.#members(node, topic, limit, after));
	}

	async #members(node: NodePresence, topic: string, limit: number, after: string | undefined): Promise<PresencePage> {
		const replica = await this.#replica(node, topic);
		if (replica?.areMembersKnown === true) {
			await replica.told();
			const { areMembersKnown, ...page } = replica.page(after, limit);
			if (areMembersKnown) return page;
		}
		const stored = await this.#stored(node, topic, () => node.store.read(topic, { after, limit }));
		if (stored.skipped > 0) node.skipped.found(topic, stored.skipped);
		const members = stored.members.map(
			({ key, connections, since, info }) => shownMember(key, connections, since, info).member,
		);
		return {
			members,
			count: stored.count,
			version: stored.version ?? NO_VERSION,
			hasMore: stored.hasMore,
			isStale: false,
		};
	}

	count(topic: string): Promise<number> {
		const { node, failures } = this.#options;
		const error = this.#check('presence.count()', topic);
		if (error !== undefined || node === undefined) return failures.refuse(error ?? new PresenceNotKeptError(topic));
		return failures.watch(this.#count(node, topic));
	}

	async #count(node: NodePresence, topic: string): Promise<number> {
		const replica = await this.#replica(node, topic);
		return replica?.count ?? (await this.#stored(node, topic, () => node.store.count(topic))).count;
	}

	/** Returns what is known of a topic that is watched; undefined if nothing is. */
	async #replica(node: NodePresence, topic: string): Promise<TopicReplica | undefined> {
		const replica = node.replicas.get(topic);
		if (replica === undefined) return undefined;
		await replica.known;
		return replica.isBlank ? undefined : replica;
	}

	async #stored<T extends PresenceState>(node: NodePresence, topic: string, read: () => Promise<T>): Promise<T> {
		try {
			await node.own.members.settled(topic);
			return await read();
		} catch (thrown) {
			throw new PresenceUnavailableError(topic, { cause: toError(thrown) });
		}
	}

	onChange(topic: string, listener: (change: PresenceChange) => unknown): () => void {
		checkListener('presence.onChange()', listener);
		const error = this.#checkKept(topic);
		const { node } = this.#options;
		if (error !== undefined || node === undefined) throw error ?? new PresenceNotKeptError(topic);
		return node.listeners.add(topic, mustBeTold(topic, node.ruleOf(topic)), listener);
	}

	update(topic: string, key: string, change: PresenceInfo): Promise<ActionResult> {
		const { failures, update } = this.#options;
		const error = this.#check('presence.update()', topic) ?? checkMember(key);
		if (error !== undefined) return failures.refuse(error);
		try {
			const copy = copyInfo(change);
			encodeInfo(copy, MAX_INFO_BYTES);
			return update(topic, key, copy);
		} catch (thrown) {
			return failures.refuse(toError(thrown));
		}
	}

	#check(call: string, topic: string): Error | undefined {
		return this.#options.lifecycle.check(call) ?? this.#checkKept(topic);
	}

	#checkKept(topic: string): Error | undefined {
		const error = checkTopic(topic);
		if (error !== undefined) return error;
		return this.#options.node?.ruleOf(topic) === undefined ? new PresenceNotKeptError(topic) : undefined;
	}
}

/** @throws {PresenceNotKeptError} {InvalidOptionError} its presence is not kept, or its changes are not told */
export function mustBeTold(topic: string, rule: PresenceRule | undefined): PresenceRule {
	if (rule === undefined) throw new PresenceNotKeptError(topic);
	if (rule.events !== 'none') return rule;
	throw new InvalidOptionError(
		`Who is in ${show(topic)} can only be asked: the provider's option presence has events: 'none' for it`,
	);
}

function checkPage(options: PresencePageOptions | undefined): Error | undefined {
	const call = 'presence.members()';
	const error = checkOptions(call, options, ['limit', 'after']);
	if (error !== undefined || options === undefined) return error;
	const { limit, after } = options;
	if (after !== undefined) return checkKey('after', after) ?? checkLimit(call, limit);
	return checkLimit(call, limit);
}

function checkLimit(call: string, limit: unknown): Error | undefined {
	if (limit === undefined) return undefined;
	if (Number.isSafeInteger(limit) && (limit as number) >= 1 && (limit as number) <= MOST_MEMBERS) return undefined;
	return new InvalidOptionError(
		`limit of ${call} must be a whole number from 1 to ${MOST_MEMBERS}, not ${show(limit)}`,
	);
}

function checkKey(name: string, key: unknown): Error | undefined {
	return typeof key === 'string' ? undefined : noKey(name, key);
}

/** A user's id alone would match no one. */
function checkMember(key: unknown): Error | undefined {
	return typeof key === 'string' && /^(user|socket):./.test(key) ? undefined : noKey('key', key);
}

function noKey(name: string, key: unknown): InvalidOptionError {
	return new InvalidOptionError(
		`${name} must be the key of a member, such as user:42 or socket:6f1c…, not ${show(key)}`,
	);
}
