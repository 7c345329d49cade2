import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import {
	RULE,
	PresenceBackend,
	PresenceNode,
	socketOf,
	type TestSocket,
} from '../test-support/own-presence-fixture.ts';
import type { Fate } from '../test-support/presence-link.ts';

beforeEach(() => {
	vi.useFakeTimers();
	onTestFinished(() => void vi.useRealTimers());
});

const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

const TOPICS = ['slow:a', 'slow:b', 'fast:a', 'now:a'];
const DELAYS: Readonly<Record<string, number>> = { slow: 5_000, fast: 300, now: 0 };
const USERS = ['ann', 'bob', 'cid', 'dan', undefined];
/** A node that can't reach the backend for so long may be counted as dead, in milliseconds. */
const LAPSE_MS = 7_000;
/** Until when all is stored again after a fault, in milliseconds. */
const SETTLED_MS = 6_000;
/** After so long without faults, the backend has exactly the members of the living: two leases, and a sweep. */
const QUIET_MS = 45_000;

/** A random number from 0 to 1, the same ones for each seed. */
function randomOf(seed: number): () => number {
	let state = seed;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let t = Math.imul(state ^ (state >>> 15), 1 | state);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
	};
}

/** A node, and since when it is how it is. */
interface Place {
	node: PresenceNode;
	/** Since when it can't reach the backend; undefined if it can. */
	cutAt: number | undefined;
	/** Whether this is because of the node, and not only because the backend is away. */
	isOwnFault: boolean;
	isFrozen: boolean;
	/** Until when what its members are is not certain: it was cut off for long, or is new. */
	uncertainUntil: number;
	readonly sockets: Map<TestSocket, Map<string, number>>;
}

class World {
	readonly backend = new PresenceBackend();
	readonly places: Place[];
	/** Those who were reported to have left although they had stayed. */
	readonly wronged: string[] = [];
	readonly random: () => number;
	readonly #isFaulty: boolean;
	#isBackendAway = false;

	constructor(seed: number, isFaulty: boolean) {
		this.random = randomOf(seed);
		this.#isFaulty = isFaulty;
		this.backend.onChange = ({ kind, topic, key }) => {
			if (kind === 'left' && this.#mustBeThere(topic, key))
				this.wronged.push(`${key} in ${topic} at ${performance.now()}`);
		};
		this.places = [0, 1, 2].map(() => this.#place());
	}

	#place(): Place {
		const node = new PresenceNode(this.backend.store, {
			ruleOf: (topic) => ({ ...RULE, leaveDelayMs: DELAYS[topic.split(':')[0] ?? ''] ?? 0 }),
		});
		node.describe = (userId) => (userId === undefined ? undefined : { name: userId });
		const place: Place = {
			node,
			cutAt: undefined,
			isOwnFault: false,
			isFrozen: false,
			uncertainUntil: performance.now() + SETTLED_MS,
			sockets: new Map(),
		};
		this.#open(place);
		void node.presence.start();
		return place;
	}

	/** Whether a member has a socket that has been at the backend for some time. */
	#mustBeThere(topic: string, key: string): boolean {
		const now = performance.now();
		return this.places.some(({ sockets, cutAt, isOwnFault, uncertainUntil }) => {
			if (now < uncertainUntil || (cutAt !== undefined && isOwnFault && now - cutAt > LAPSE_MS)) return false;
			const by = (cutAt ?? now) - SETTLED_MS;
			return [...sockets].some(([{ data }, topics]) => keyOf(data) === key && (topics.get(topic) ?? Infinity) <= by);
		});
	}

	pick<T>(values: readonly T[]): T {
		return values[Math.floor(this.random() * values.length)] as T;
	}

	// Faults

	#cut(place: Place, isOwnFault: boolean): void {
		place.cutAt ??= performance.now();
		if (performance.now() < place.uncertainUntil) place.uncertainUntil = Infinity;
		place.isOwnFault ||= isOwnFault;
	}

	#open(place: Place): void {
		const { cutAt, isOwnFault, node } = place;
		const now = performance.now();
		const hasLapsed = cutAt !== undefined && isOwnFault && now - cutAt > LAPSE_MS;
		if (hasLapsed || place.uncertainUntil === Infinity) place.uncertainUntil = now + SETTLED_MS;
		// What has joined meanwhile is stored from now on.
		for (const topics of place.sockets.values())
			for (const [topic, at] of topics) if (cutAt !== undefined && at > cutAt - SETTLED_MS) topics.set(topic, now);
		place.cutAt = undefined;
		place.isOwnFault = false;
		node.link.fate = (call) => this.#fate(call);
	}

	#fate(call: string): Fate {
		if (!this.#isFaulty || this.random() > 0.1) return 'answered';
		return call === 'apply' ? this.pick(['failed', 'answer lost', 'late']) : this.pick(['failed', 'answer lost']);
	}

	fault(): void {
		const place = this.pick(this.places);
		const kind = this.pick(['outage', 'outage', 'freeze', 'away', 'kill', 'stop', 'loss', 'move'] as const);
		switch (kind) {
			case 'outage':
				if (place.isFrozen || this.#isBackendAway) return;
				if (place.cutAt === undefined) {
					this.#cut(place, true);
					place.node.goAway();
				} else this.#comeBack(place);
				return;
			case 'freeze':
				if (place.cutAt !== undefined && !place.isFrozen) return;
				if (place.isFrozen) return this.#thaw(place);
				this.#cut(place, true);
				place.isFrozen = true;
				return place.node.link.freeze();
			case 'away':
				if (this.places.some(({ isFrozen, cutAt }) => isFrozen || (cutAt !== undefined && !this.#isBackendAway)))
					return;
				this.#isBackendAway = !this.#isBackendAway;
				for (const each of this.places) {
					if (!this.#isBackendAway) this.#comeBack(each);
					else {
						this.#cut(each, false);
						each.node.goAway();
					}
				}
				return;
			case 'kill':
				if (this.#isBackendAway) return;
				return this.#kill(place);
			case 'stop':
				if (place.cutAt !== undefined) return;
				return this.#stop(place);
			case 'loss':
				if (this.random() < 0.5) return;
				this.backend.store.clear();
				for (const each of this.places) {
					each.uncertainUntil = each.cutAt === undefined ? performance.now() + SETTLED_MS : Infinity;
					each.node.link.lose();
				}
				return;
			case 'move':
				return this.#move();
		}
	}

	#comeBack(place: Place): void {
		place.node.comeBack();
		this.#open(place);
	}

	#thaw(place: Place): void {
		place.isFrozen = false;
		place.node.link.thaw();
		this.#open(place);
	}

	#kill(place: Place): void {
		place.node.link.kill();
		this.#replace(place);
	}

	/** As an application does: it closes its sockets first. */
	#stop(place: Place): void {
		for (const socket of place.sockets.keys()) place.node.close(socket);
		void place.node.presence.stop();
		this.#replace(place);
	}

	#replace(place: Place): void {
		this.places[this.places.indexOf(place)] = this.#place();
		for (const [{ data }, topics] of place.sockets) {
			if (data.userId === undefined || this.random() < 0.3) continue;
			this.#connect(this.pick(this.places), data.userId, [...topics.keys()]);
		}
	}

	#move(): void {
		const place = this.pick(this.places);
		const socket = this.pick([...place.sockets.keys()]);
		if (socket === undefined || place.isFrozen) return;
		const topics = [...(place.sockets.get(socket)?.keys() ?? [])];
		place.node.close(socket);
		place.sockets.delete(socket);
		this.#connect(this.pick(this.places), socket.data.userId, topics);
	}

	/** Ends all faults. */
	heal(): void {
		this.#isBackendAway = false;
		for (const place of this.places) {
			if (place.isFrozen) this.#thaw(place);
			else if (place.cutAt !== undefined) this.#comeBack(place);
		}
	}

	// Sockets

	#connect(place: Place, userId: string | undefined, topics: readonly string[]): void {
		const socket = socketOf(userId);
		place.sockets.set(socket, new Map());
		for (const topic of topics) this.#join(place, socket, topic);
	}

	#join({ node, sockets }: Place, socket: TestSocket, topic: string): void {
		const joined = sockets.get(socket);
		if (joined === undefined || joined.has(topic)) return;
		joined.set(topic, performance.now());
		node.join(socket, topic);
	}

	act(): void {
		const place = this.pick(this.places);
		// Nothing happens on a frozen node.
		if (place.isFrozen) return;
		const { node, sockets } = place;
		const socket = this.pick([...sockets.keys()]);
		const what = this.pick(['connect', 'join', 'join', 'join', 'leave', 'leave', 'close', 'own', 'update'] as const);
		if (what === 'connect' || socket === undefined) {
			if (sockets.size < 8) this.#connect(place, this.pick(USERS), [this.pick(TOPICS)]);
			return;
		}
		const topic = this.pick(TOPICS);
		if (what === 'join') return this.#join(place, socket, topic);
		if (what === 'close') {
			node.close(socket);
			sockets.delete(socket);
		} else if (sockets.get(socket)?.has(topic) === true) {
			if (what === 'leave') {
				sockets.get(socket)?.delete(topic);
				node.leave(socket, topic);
			} else if (what === 'own') node.presence.members.setOwn(socket, topic, { status: this.random() });
			else node.presence.members.merge(topic, keyOf(socket.data), { role: this.random() });
		}
	}

	/** Returns the members that a topic must have, with their connections. */
	expected(topic: string): Record<string, number> {
		const members: Record<string, number> = {};
		for (const { sockets } of this.places) {
			for (const [{ data }, topics] of sockets) {
				if (topics.has(topic)) members[keyOf(data)] = (members[keyOf(data)] ?? 0) + 1;
			}
		}
		return members;
	}

	async check(): Promise<void> {
		for (const topic of TOPICS) {
			const { members, count } = await this.backend.store.read(topic, { limit: 1_000 });
			const expected = this.expected(topic);
			expect(Object.fromEntries(members.map(({ key, connections }) => [key, connections]))).toEqual(expected);
			expect(count).toBe(Object.keys(expected).length);
			for (const { key, info, nodes } of members) {
				const infos = this.places.map(({ node }) => node.presence.members.get(topic, key)?.info);
				expect(infos).toContain(info);
				const holders = this.places.filter(({ node }) => node.presence.members.get(topic, key) !== undefined);
				expect(nodes).toHaveLength(holders.length);
			}
		}
		for (const { node } of this.places) {
			for (const { changes, members } of node.presence.members.topics()) {
				expect(changes).toBeUndefined();
				for (const member of members.values()) expect(member.isHere).toBe(true);
			}
		}
		expect(this.wronged).toEqual([]);
	}
}

function keyOf({ socketId, userId }: TestSocket['data']): string {
	return userId === undefined ? `socket:${socketId}` : `user:${userId}`;
}

async function run(seed: number, isFaulty: boolean): Promise<void> {
	const jitter = vi.spyOn(Math, 'random').mockImplementation(randomOf(seed));
	onTestFinished(() => jitter.mockRestore());
	const world = new World(seed, isFaulty);
	await pass(100);
	for (let round = 0; round < 4; round++) {
		const chanceOfFault = isFaulty ? world.random() * 0.2 : 0;
		for (let step = 0; step < 120; step++) {
			if (world.random() < chanceOfFault) world.fault();
			else world.act();
			const ms = world.random();
			await pass(ms < 0.4 ? 1 : ms < 0.9 ? ms * 100 : ms * 3_000);
		}
		world.heal();
		await pass(isFaulty ? QUIET_MS : SETTLED_MS);
		await world.check();
	}
}

it.each(Array.from({ length: 10 }, (_, seed) => seed))(
	'three nodes without faults store exactly the members of their sockets (seed %i)',
	(seed) => run(seed, false),
);

it.each(Array.from({ length: 30 }, (_, seed) => 1_000 + seed))(
	'three nodes with faults of all kinds have neither ghosts nor losses in the end, and drop no one who stayed (seed %i)',
	(seed) => run(seed, true),
	30_000,
);
