import { equal, ok } from 'node:assert/strict';
import type { Bus } from '../bus.ts';
import type {
	PresenceLease,
	PresenceOp,
	PresenceState,
	PresenceStore,
	Renewal,
	StoredMember,
	StoredPresence,
	Sweep,
} from '../presence/presence-store.ts';
import { presenceChannel } from '../wire/channel-names.ts';
import { decodeFrame, encodePresenceHeader, type Presence, randomOrigin, type Sender } from '../wire/frame.ts';
import type { BusRecorder } from './bus-recorder.ts';
import type { CaseContext, CaseNode } from './case-context.ts';

/** A lease that does not end during a case, in milliseconds. */
export const LONG_LEASE_MS = 60_000;

export interface PutOptions {
	readonly connections?: number;
	readonly ageMs?: number;
	readonly info?: string | undefined;
	readonly infoAgeMs?: number;
}

/** A number of members that no case reaches unless it wants to. */
const MANY = 100_000;

/** A node with a lease, as the suites for presence need it. */
export class PresenceNode implements CaseNode {
	readonly bus: Bus;
	readonly received: BusRecorder;
	readonly presence: PresenceStore;
	readonly sender: Sender = { origin: randomOrigin(), shard: 0, incarnation: 1 };
	/** The topics with more members than this have changes that do not name them. */
	membersUpTo: number = MANY;
	lease: PresenceLease = { nodeId: crypto.randomUUID(), generation: 1 };

	private constructor({ bus, received }: CaseNode, presence: PresenceStore) {
		this.bus = bus;
		this.received = received;
		this.presence = presence;
	}

	/** Starts a node without a lease, and subscribes it to the changes of topics. */
	static async start(context: CaseContext, ...topics: string[]): Promise<PresenceNode> {
		const node = await context.startNode();
		const presence = presenceOf(node.bus);
		await presence.prepare();
		if (topics.length > 0) await node.bus.subscribe(topics.map(presenceChannel));
		return new PresenceNode(node, presence);
	}

	/** Starts nodes that have a lease for the whole case. */
	static startLeased(context: CaseContext, count: number, ...topics: string[]): Promise<PresenceNode[]> {
		return Promise.all(
			Array.from({ length: count }, async () => {
				const node = await PresenceNode.start(context, ...topics);
				await node.begin(LONG_LEASE_MS);
				return node;
			}),
		);
	}

	// Leases

	/** Registers this node's lease. */
	async begin(leaseMs: number): Promise<void> {
		const { isKept } = await this.presence.renew(this.lease, leaseMs, true);
		equal(isKept, true, 'a new lease must hold');
	}

	renew(leaseMs: number): Promise<Renewal> {
		return this.presence.renew(this.lease, leaseMs, false);
	}

	/** Registers the next generation of this node's lease. */
	async beginNext(leaseMs: number): Promise<void> {
		this.lease = { ...this.lease, generation: this.lease.generation + 1 };
		await this.begin(leaseMs);
	}

	sweep(lease: PresenceLease, topics = 1_000): Promise<Sweep> {
		const header = encodePresenceHeader(this.sender);
		return this.presence.sweep(lease, { header, topics, membersUpTo: () => this.membersUpTo });
	}

	// Records

	apply(topic: string, ...ops: readonly PresenceOp[]): Promise<PresenceState> {
		const { lease, membersUpTo } = this;
		return this.presence.apply(topic, { lease, header: encodePresenceHeader(this.sender), ops, membersUpTo });
	}

	put(topic: string, key: string, options?: PutOptions): Promise<PresenceState> {
		return this.apply(topic, put(key, options));
	}

	remove(topic: string, ...keys: readonly string[]): Promise<PresenceState> {
		return this.apply(topic, ...keys.map((key) => ({ kind: 'remove', key }) as const));
	}

	linger(topic: string, key: string, ms: number): Promise<PresenceState> {
		return this.apply(topic, { kind: 'linger', key, ms });
	}

	expire(topic: string, key: string): Promise<PresenceState> {
		return this.apply(topic, { kind: 'expire', key });
	}

	/** Puts any number of members, in as many steps as that takes. */
	async putMany(topic: string, keys: readonly string[]): Promise<void> {
		for (let at = 0; at < keys.length; at += 100) {
			await this.apply(topic, ...keys.slice(at, at + 100).map((key) => put(key)));
		}
	}

	// Reading

	/** Reads all members of a topic, which must be at most 1,000. */
	async read(topic: string): Promise<StoredPresence> {
		const read = await this.presence.read(topic, { limit: 1_000 });
		equal(read.hasMore, false, 'all members must be on one page');
		return read;
	}

	async member(topic: string, key: string): Promise<StoredMember> {
		const found = (await this.read(topic)).members.find((member) => member.key === key);
		ok(found, `the member ${key} must be present in ${topic}`);
		return found;
	}

	async keys(topic: string): Promise<string[]> {
		return (await this.read(topic)).members.map(({ key }) => key);
	}

	// Changes

	/** Returns the changes of a topic that have arrived so far. */
	changes(topic: string): Presence[] {
		const channel = presenceChannel(topic);
		return this.received.frames.flatMap((received) => {
			if (received.channel !== channel) return [];
			const frame = decodeFrame(received.frame, 0);
			ok(typeof frame === 'object' && frame.type === 'presence', `not a change frame: ${JSON.stringify(frame)}`);
			return [frame];
		});
	}

	/** Waits until as many changes of a topic have arrived, and returns them. Fails if there are more. */
	async untilChanges(topic: string, count: number): Promise<Presence[]> {
		await this.received.untilFrames(presenceChannel(topic), count);
		const changes = this.changes(topic);
		equal(changes.length, count, `too many change frames: ${JSON.stringify(changes)}`);
		return changes;
	}
}

export function put(key: string, { connections = 1, ageMs = 0, info, infoAgeMs = 0 }: PutOptions = {}): PresenceOp {
	return { kind: 'put', key, connections, ageMs, info, infoAgeMs };
}

export function presenceOf(bus: Bus): PresenceStore {
	ok(bus.presence, 'the bus has no presence: this suite needs Bus.presence');
	return bus.presence;
}
