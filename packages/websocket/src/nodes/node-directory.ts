import { hostname } from 'node:os';
import type { Logger } from '../logger.ts';
import { FailureLog } from '../support/failure-log.ts';
import { Listeners } from '../support/listeners.ts';
import { VERSION } from '../version.ts';
import type { Counts } from '../wire/digest.ts';
import type { Origin } from '../wire/frame.ts';
import { LEASE_MS } from './lease.ts';
import { CLUSTER_VERSION, type NodeDescription } from './node-description.ts';

/** One node of the cluster. */
export interface NodeInfo {
	/** A UUID v4: {@link NodeMessaging.nodeId} of that node. */
	readonly id: string;
	/** The name of its machine. */
	readonly host: string;
	/** The version of its `@orijs/websocket`. */
	readonly version: string;
	/** When it was started, in milliseconds since the epoch, by its own clock. */
	readonly startedAt: number;
	/** The number of its sockets, as of `ageMs` ago. */
	readonly connections: number;
	/** The number of topics that its sockets are in, as of `ageMs` ago. */
	readonly topics: number;
	/** The time since its last heartbeat that is known here, in milliseconds. 0 for this node. */
	readonly ageMs: number;
	/** Whether it is this node. */
	readonly isSelf: boolean;
}

/** Nodes that have come, and nodes that have gone. */
export interface NodesChange {
	readonly joined: readonly NodeInfo[];
	/** As they were when they were last heard. */
	readonly left: readonly NodeLeft[];
}

export interface NodeLeft extends NodeInfo {
	/** `stopped`: the node said so. `silent`: its heartbeats no longer arrive; it may have died, or be cut off. */
	readonly why: 'stopped' | 'silent';
}

/**
 * Which nodes are known, apart from those that have just started: `all`; `some` while the backend is away, because
 * others may have come; or that is `unknown`, and only the nodes can say it.
 */
export type KnownNodes = 'all' | 'some' | 'unknown';

/** The sockets of other nodes. */
export interface KnownConnections {
	readonly count: number;
	/** How many nodes have these. */
	readonly nodes: number;
	/** The ids of nodes that have others. */
	readonly unknown: readonly string[];
}

/** How long a node that fell silent is remembered, in milliseconds. */
const FORGET_AFTER_MS = 600_000;
/** For how long beats of a node that has stopped may still arrive, in milliseconds, from another shard. */
const STOPPED_MS = 30_000;
/** A node whose last beat is known to be older than this, in milliseconds, has fallen silent. */
const SILENT_MS = 2_500;

/** What is known about another node. */
interface Entry {
	description: NodeDescription | undefined;
	/** Undefined until a beat has said them. */
	counts: Counts | undefined;
	/** When its last beat was accepted, by the monotonic clock. */
	at: number;
	state: 'here' | 'silent' | 'stopped';
	/** Whether listeners have been told that it is here. */
	isTold: boolean;
}

const NO_COUNTS: Counts = { connections: 0, topics: 0 };

/** Knows the nodes of the cluster: from their beats that they are there, and from what they say who they are. */
export class NodeDirectory {
	/** The id of this node. */
	readonly id: string;
	readonly #counts: () => Counts;
	readonly #others = new Map<Origin, Entry>();
	readonly #listeners: Listeners<NodesChange>;
	#startedAt = Date.now();
	/** Whether a node may have come or gone since the listeners were called. */
	#hasChanged = false;
	/** Whether there may be nodes of which it is not known who they are. */
	#mayHaveUnknown = false;

	/** @param counts returns how much this node has to do */
	constructor(id: string, logger: Logger, counts: () => Counts) {
		this.id = id;
		this.#counts = counts;
		const failures = new FailureLog(logger);
		this.#listeners = new Listeners((thrown) => failures.report(thrown, 'onNodesChange'));
	}

	/**
	 * Returns all nodes that are there, this one first, then the others in the order in which they were started. A node
	 * that falls silent is found within 5 s, and is back with its next heartbeat.
	 */
	list(): readonly NodeInfo[] {
		const { id, host, version, startedAt } = this.describe(0);
		return [{ id, host, version, startedAt, ...this.#counts(), ageMs: 0, isSelf: true }, ...this.#othersIn('here')];
	}

	/**
	 * Returns the nodes that have fallen silent within the last 10 minutes, in the order in which they were started:
	 * what they do is unknown.
	 */
	silent(): readonly NodeInfo[] {
		return this.#othersIn('silent');
	}

	#othersIn(state: Entry['state']): NodeInfo[] {
		const now = performance.now();
		const infos: NodeInfo[] = [];
		for (const entry of this.#others.values()) {
			if (entry.state === state && entry.description !== undefined) infos.push(infoOf(entry, entry.description, now));
		}
		infos.sort((a, b) => a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1));
		return infos;
	}

	/** Returns how many sockets the other nodes have that are there, as far as they have said so within `maxAgeMs`. */
	connections(maxAgeMs: number): KnownConnections {
		const least = performance.now() - maxAgeMs;
		let count = 0;
		let nodes = 0;
		const unknown: string[] = [];
		for (const { state, counts, at, description } of this.#others.values()) {
			if (state !== 'here') continue;
			if (counts !== undefined && at >= least) {
				count += counts.connections;
				nodes++;
			} else if (description !== undefined) {
				unknown.push(description.id);
			}
		}
		return { count, nodes, unknown };
	}

	/** Calls a listener when nodes have come or gone. Returns a function that removes it. */
	onChange(listener: (change: NodesChange) => unknown): () => void {
		return this.#listeners.add(listener);
	}

	/** Called when this node starts. */
	start(): void {
		this.#startedAt = Date.now();
	}

	/** Called when this node has stopped. It no longer knows any other. */
	close(): void {
		this.#others.clear();
	}

	/** Returns what this node says of itself. @param generation see {@link NodeLease} */
	describe(generation: number): NodeDescription {
		return {
			id: this.id,
			host: hostname(),
			version: VERSION,
			startedAt: this.#startedAt,
			generation,
			cluster: CLUSTER_VERSION,
		};
	}

	/** Called when another node has said who it is. */
	described(origin: Origin, description: NodeDescription): void {
		this.#describe(origin, description);
		this.#tell();
	}

	/** Called when the backend has told what other nodes have said, and the time since their last beats. */
	listed(nodes: Iterable<readonly [origin: Origin, description: NodeDescription, ageMs: number]>): void {
		for (const [origin, description, ageMs] of nodes) this.#describe(origin, description, ageMs);
		this.#tell();
	}

	/** @param listedAgeMs the time since its last beat, by the backend; undefined if the node itself has just said it */
	#describe(origin: Origin, description: NodeDescription, listedAgeMs?: number): void {
		const ageMs = listedAgeMs ?? 0;
		const known = this.#others.get(origin);
		const at = performance.now() - ageMs;
		if (known === undefined) {
			const state = ageMs > SILENT_MS ? 'silent' : 'here';
			this.#others.set(origin, { description, counts: undefined, at, state, isTold: false });
		} else {
			if (known.description !== undefined && known.description.generation > description.generation) return;
			// A node that was started again greets with a later generation than it had when it stopped.
			const isLater =
				known.description === undefined
					? listedAgeMs === undefined
					: known.description.generation !== description.generation;
			const isAgain = known.state === 'stopped' && isLater;
			if (isAgain && ageMs <= SILENT_MS) known.state = 'here';
			known.description = description;
			known.at = Math.max(known.at, at);
		}
		this.#hasChanged = true;
	}

	/**
	 * Called when a beat of another node is known to have been accepted.
	 *
	 * @param at when, by the monotonic clock
	 * @returns whether it is known who that node is
	 */
	alive(origin: Origin, counts: Counts, at: number): boolean {
		const isSilent = performance.now() - at > SILENT_MS;
		let entry = this.#others.get(origin);
		if (entry === undefined) {
			entry = { description: undefined, counts, at, state: isSilent ? 'silent' : 'here', isTold: false };
			this.#others.set(origin, entry);
			this.#mayHaveUnknown = true;
			return false;
		}
		// One that was started again and whose greeting was missed is found out once it is forgotten that it stopped.
		if (at < entry.at || entry.state === 'stopped') return entry.description !== undefined;
		entry.at = at;
		entry.counts = counts;
		if (entry.state === 'silent' && !isSilent) {
			entry.state = 'here';
			this.#hasChanged = this.#mayHaveUnknown = true;
			this.#tell();
		}
		return entry.description !== undefined;
	}

	/** Called when another node has sent its last beat. */
	stopped(origin: Origin): void {
		const at = performance.now();
		const entry = this.#others.get(origin);
		if (entry === undefined) {
			// What it has said of itself may still be on its way here from the backend.
			const unknown = { description: undefined, counts: undefined };
			this.#others.set(origin, { ...unknown, at, state: 'stopped', isTold: false });
			return;
		}
		entry.state = 'stopped';
		this.#hasChanged = true;
		entry.at = at;
		this.#tell();
	}

	/**
	 * Looks for nodes that have fallen silent. Called once per heartbeat interval.
	 *
	 * @param isAlive returns whether beats of a node arrive; undefined if none ever have
	 */
	check(now: number, isAlive: (origin: Origin) => boolean | undefined): void {
		for (const [origin, entry] of this.#others) {
			const silentMs = now - entry.at;
			if (entry.state === 'here') {
				if (isAlive(origin) ?? silentMs <= LEASE_MS) continue;
				entry.state = 'silent';
				this.#hasChanged = true;
			} else if (silentMs > (entry.state === 'stopped' ? STOPPED_MS : FORGET_AFTER_MS)) {
				this.#others.delete(origin);
			}
		}
		this.#tell();
	}

	/** Returns whether there are nodes of which it is not known who they are. */
	get hasUnknown(): boolean {
		if (!this.#mayHaveUnknown) return false;
		for (const { state, description } of this.#others.values()) {
			if (state === 'here' && description === undefined) return true;
		}
		this.#mayHaveUnknown = false;
		return false;
	}

	/** Calls the listeners if nodes have come or gone since they were called last. */
	#tell(): void {
		if (!this.#hasChanged) return;
		this.#hasChanged = false;
		const now = performance.now();
		const joined: NodeInfo[] = [];
		const left: NodeLeft[] = [];
		for (const entry of this.#others.values()) {
			const { description, state, isTold } = entry;
			if (description === undefined || isTold === (state === 'here')) continue;
			entry.isTold = state === 'here';
			if (state === 'here') joined.push(infoOf(entry, description, now));
			else left.push({ ...infoOf(entry, description, now), why: state });
		}
		if (joined.length > 0 || left.length > 0) this.#listeners.call({ joined, left });
	}
}

function infoOf({ counts, at }: Entry, { id, host, version, startedAt }: NodeDescription, now: number): NodeInfo {
	return {
		id,
		host,
		version,
		startedAt,
		...(counts ?? NO_COUNTS),
		ageMs: Math.max(0, Math.round(now - at)),
		isSelf: false,
	};
}
