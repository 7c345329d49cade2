import { until } from '@orijs/testkit';
import type { Bus, BusStatus, PresenceLease, PresenceOp, PresenceState, PresenceStore } from '@orijs/websocket';
import { decodeFrame, encodePresenceHeader, presenceChannel, randomOrigin } from '@orijs/websocket/internal';
import { onTestFinished } from 'vitest';

type Presence = Extract<ReturnType<typeof decodeFrame>, { readonly type: 'presence' }>;

export interface PresenceBus {
	readonly bus: Bus;
	readonly presence: PresenceStore;
	lease: PresenceLease;
	readonly changes: readonly Presence[];
	readonly statuses: readonly BusStatus[];
	/** What `onLost` was called with. */
	readonly losses: readonly ((topic: string) => boolean)[];
	/** Registers the next generation of the lease. */
	begin(): Promise<void>;
	renew(): ReturnType<PresenceStore['renew']>;
	apply(topic: string, ...ops: readonly PresenceOp[]): Promise<PresenceState>;
	put(topic: string, ...keys: readonly string[]): Promise<PresenceState>;
	remove(topic: string, ...keys: readonly string[]): Promise<PresenceState>;
	keys(topic: string): Promise<string[]>;
	/** Sweeps a lease until that is done. Resolves with how many records were removed. */
	sweep(lease: PresenceLease): Promise<number>;
	/** Renews until another node's lease is handed out. */
	untilHandedOut(lease: PresenceLease): Promise<void>;
	untilReady(): Promise<void>;
}

const LONG_LEASE_MS = 60_000;
/** A lease that soon ends if it is not renewed, in milliseconds. */
export const SHORT_LEASE_MS = 1_000;

/**
 * Starts a bus with a lease, subscribed to the changes of topics. It is stopped with the test.
 *
 * @param leaseMs how long its leases last, unless another time is given
 */
export async function startPresenceBus(
	bus: Bus,
	topics: readonly string[] = [],
	leaseMs: number = LONG_LEASE_MS,
): Promise<PresenceBus> {
	const { presence } = bus;
	if (presence === undefined) throw new Error('the bus has no presence');
	const changes: Presence[] = [];
	const statuses: BusStatus[] = [];
	const losses: ((topic: string) => boolean)[] = [];
	onTestFinished(() => bus.stop());
	presence.onLost((isAffected) => losses.push(isAffected));
	await bus.start({
		deliver(_, bytes) {
			const frame = decodeFrame(bytes, 0);
			if (typeof frame === 'object' && frame.type === 'presence') changes.push(frame);
		},
		appended() {},
		status: (status) => statuses.push(status),
		interrupted() {},
		undelivered() {},
		replaced() {},
		refused() {},
		error() {},
	});
	await presence.prepare();
	if (topics.length > 0) await bus.subscribe(topics.map(presenceChannel));
	const header = encodePresenceHeader({ origin: randomOrigin(), shard: 0, incarnation: 1 });
	const node: PresenceBus = {
		bus,
		presence,
		lease: { nodeId: crypto.randomUUID(), generation: 0 },
		changes,
		statuses,
		losses,
		async begin() {
			node.lease = { ...node.lease, generation: node.lease.generation + 1 };
			if (!(await presence.renew(node.lease, leaseMs, true)).isKept) throw new Error('the new lease does not hold');
		},
		renew: () => presence.renew(node.lease, leaseMs, false),
		apply: (topic, ...ops) => presence.apply(topic, { lease: node.lease, header, ops, membersUpTo: 1_000 }),
		put: (topic, ...keys) =>
			node.apply(
				topic,
				...keys.map((key) => ({ kind: 'put', key, connections: 1, ageMs: 0, info: undefined }) as const),
			),
		remove: (topic, ...keys) => node.apply(topic, ...keys.map((key) => ({ kind: 'remove', key }) as const)),
		keys: async (topic) => (await presence.read(topic, { limit: 1_000 })).members.map(({ key }) => key),
		async sweep(lease) {
			let removed = 0;
			for (let isDone = false; !isDone;) {
				const swept = await presence.sweep(lease, { header, topics: 100, membersUpTo: () => 1_000 });
				removed += swept.removed;
				({ isDone } = swept);
			}
			return removed;
		},
		async untilHandedOut(lease) {
			const isHandedOut = async (): Promise<boolean> =>
				(await node.renew()).expired.some(({ nodeId }) => nodeId === lease.nodeId);
			await until(isHandedOut, { what: 'the lease is handed out', timeoutMs: 10_000 });
		},
		untilReady: () => until(() => statuses.at(-1)?.state === 'ready', { what: 'the bus is ready', timeoutMs: 20_000 }),
	};
	await node.begin();
	return node;
}
