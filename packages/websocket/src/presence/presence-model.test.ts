import { until } from '@orijs/testkit';
import fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import type { Bus } from '../bus.ts';
import { PresenceClient } from '../test-support/presence-client.ts';
import { type Member, openNode, type TestNode } from '../test-support/test-node.ts';
import { MemoryBackend } from '../testing/index.ts';
import { topicOfPresenceChannel } from '../wire/channel-names.ts';
import type { PresenceChange, PresencePage } from './presence-contract.ts';

const TOPICS = ['room:a', 'room:b'] as const;
const NODES = 3;

const node = fc.nat({ max: NODES - 1 });
/** Picks a client by the order of connecting, among all that are connected. */
const who = fc.nat({ max: 20 });
const topic = fc.constantFrom(...TOPICS);
const user = fc.option(fc.constantFrom('u0', 'u1', 'u2', 'u3'), { nil: undefined });
const mood = fc.constantFrom('good', 'bad', undefined);

const member = [
	{ weight: 4, arbitrary: fc.record({ op: fc.constant('connect' as const), node, user, topic }) },
	{ weight: 2, arbitrary: fc.record({ op: fc.constant('close' as const), who }) },
	{ weight: 4, arbitrary: fc.record({ op: fc.constant('join' as const), who, topic }) },
	{ weight: 4, arbitrary: fc.record({ op: fc.constant('leave' as const), who, topic }) },
	{ weight: 3, arbitrary: fc.record({ op: fc.constant('info' as const), who, topic, mood }) },
	{ weight: 2, arbitrary: fc.record({ op: fc.constant('watch' as const), who, topic }) },
	{ weight: 1, arbitrary: fc.record({ op: fc.constant('unwatch' as const), who, topic }) },
	{ weight: 3, arbitrary: fc.record({ op: fc.constant('pause' as const), ms: fc.constantFrom(0, 10, 60, 300) }) },
];
const faults = [
	{
		weight: 1,
		arbitrary: fc.record({ op: fc.constantFrom('cut' as const, 'freeze' as const, 'lossy' as const), node }),
	},
	{ weight: 2, arbitrary: fc.record({ op: fc.constant('restore' as const), node }) },
];
const loss = { weight: 1, arbitrary: fc.record({ op: fc.constant('lose' as const) }) };

type Step = typeof member extends readonly { arbitrary: fc.Arbitrary<infer T> }[] ? T | FaultStep : never;
type FaultStep =
	| { readonly op: 'cut' | 'freeze' | 'lossy' | 'restore'; readonly node: number }
	| { readonly op: 'lose' };

/** A client that is connected, the topics that it is in, and what it watches. */
interface Known {
	readonly member: Member;
	readonly node: TestNode;
	readonly key: string;
	readonly topics: Set<string>;
	readonly watches: Map<string, PresenceClient>;
}

/** What a listener makes of the changes. */
class Ledger {
	readonly members = new Map<string, number>();
	areMembersKnown = true;
	count = 0;
	/** Changes that can't be. */
	readonly faults: string[] = [];

	#early: PresenceChange[] | undefined = [];

	readonly listen = (change: PresenceChange): void => {
		if (this.#early === undefined) this.#apply(change);
		else this.#early.push(change);
	};

	/** Starts from a page, and the changes that follow it. */
	start({ members, count, version }: PresencePage): void {
		for (const { key, connections } of members) this.members.set(key, connections);
		this.count = count;
		const early = this.#early ?? [];
		this.#early = undefined;
		for (const change of early) {
			if (change.version.epoch !== version.epoch || change.version.n > version.n) this.#apply(change);
		}
	}

	#apply({ joined, left, updated, count, areMembersKnown }: PresenceChange): void {
		if (areMembersKnown !== this.areMembersKnown) this.members.clear();
		this.areMembersKnown = areMembersKnown;
		this.count = count;
		for (const { key, connections } of joined) {
			if (this.members.has(key)) this.faults.push(`${key} joined twice`);
			this.members.set(key, connections);
		}
		for (const { key } of left) if (!this.members.delete(key)) this.faults.push(`${key} left without having joined`);
		for (const { key, connections } of updated) {
			if (!this.members.has(key)) this.faults.push(`${key} was updated without having joined`);
			this.members.set(key, connections);
		}
		for (const { key } of left) if (key.startsWith('user:steady')) this.faults.push(`${key} left, but stayed`);
	}
}

class World {
	readonly backend = new MemoryBackend({ liveness: true });
	readonly nodes: TestNode[] = [];
	readonly buses: Bus[] = [];
	readonly known: Known[] = [];
	readonly ledgers: (readonly [topic: string, ledger: Ledger])[] = [];
	/** The nodes that do not receive some of the changes. */
	readonly lossy = new Set<number>();
	readonly #frozen = new Set<number>();
	/** Has no clients and watches nothing, so it reads what is stored. */
	observer: TestNode | undefined;

	async open(leaveDelayMs: number, membersUpTo: number): Promise<void> {
		const options = {
			presence: { 'room:*': { leaveDelayMs, membersUpTo } },
			heartbeatMs: 50,
			graceMs: 50,
			subprotocol: 'orijs.1',
		};
		for (let i = 0; i < NODES; i++) {
			const bus = this.backend.createBus();
			this.buses.push(bus);
			this.nodes.push(await openNode({ ...options, bus: this.#losing(bus, i) }));
		}
		this.observer = await openNode({ ...options, bus: this.backend.createBus() });
		for (const [i, { provider }] of this.nodes.entries()) {
			await this.connect(i, `steady${i}`, [...TOPICS]);
			for (const each of TOPICS) {
				const ledger = new Ledger();
				provider.presence.onChange(each, ledger.listen);
				ledger.start(await provider.presence.members(each, { limit: 1_000 }));
				this.ledgers.push([each, ledger]);
			}
		}
	}

	/** Returns a bus that loses changes without noticing it, while its node is lossy. */
	#losing(bus: Bus, i: number): Bus {
		return {
			...bus,
			start: (handlers) =>
				bus.start({
					...handlers,
					deliver: (channel, frame) => {
						const isChange = topicOfPresenceChannel(channel) !== undefined;
						if (!isChange || !this.lossy.has(i) || Math.random() < 0.5) handlers.deliver(channel, frame);
					},
				}),
		};
	}

	async connect(i: number, userId: string | undefined, topics: readonly string[]): Promise<void> {
		const node = this.nodes[i] as TestNode;
		const id = crypto.randomUUID();
		const attempt = await node.attempt({
			socketId: id,
			data: {},
			topics: new Set<string>(),
			subprotocol: 'orijs.1',
			...(userId !== undefined && { userId }),
		});
		void attempt.added.catch(() => {});
		const key = userId === undefined ? `socket:${id}` : `user:${userId}`;
		const client: Known = { member: { ...attempt, id }, node, key, topics: new Set(), watches: new Map() };
		this.known.push(client);
		for (const each of topics) this.join(client, each);
	}

	join({ member: { id }, node, topics }: Known, topic: string): void {
		topics.add(topic);
		node.provider.subscribe(id, topic, { by: 'client' }).catch(() => {});
	}

	/** The first ones are steady. */
	pick(number: number): Known | undefined {
		return this.known.length === NODES ? undefined : this.known[NODES + (number % (this.known.length - NODES))];
	}

	async run(step: Step): Promise<void> {
		if (step.op === 'connect') return this.connect(step.node, step.user, [step.topic]);
		if (step.op === 'pause') return Bun.sleep(step.ms);
		if (step.op === 'lose') return this.backend.losePresence();
		if ('node' in step) return this.#fault(step.op, step.node);
		const client = this.pick(step.who);
		if (client === undefined) return;
		const { member, node, topics, watches } = client;
		const { socketPresence } = node.provider;
		if (step.op === 'close') {
			this.known.splice(this.known.indexOf(client), 1);
			await member.client.close();
			return until(() => !node.provider.isConnected(member.id), { what: 'the socket is removed' });
		}
		const { topic } = step;
		if (step.op === 'join') this.join(client, topic);
		else if (step.op === 'leave') {
			topics.delete(topic);
			await node.provider.unsubscribe(member.id, topic, { by: 'client' });
		} else if (step.op === 'info') {
			if (topics.has(topic)) socketPresence.setOwnInfo(member.id, topic, { mood: step.mood });
		} else if (step.op === 'watch') {
			const watch = watches.get(topic) ?? new PresenceClient(node, member, topic);
			watches.set(topic, watch);
			watch.watch().catch(() => watches.delete(topic));
		} else {
			watches.get(topic)?.unwatch();
			watches.delete(topic);
		}
	}

	#fault(op: 'cut' | 'freeze' | 'lossy' | 'restore', i: number): void {
		const bus = this.buses[i] as Bus;
		if (op === 'lossy') this.lossy.add(i);
		else if (op === 'restore') {
			this.lossy.delete(i);
			// A frozen link never works again: it is replaced, by the heartbeats or here.
			if (this.#frozen.delete(i)) this.backend.cut(bus);
			this.backend.restore(bus);
		} else {
			if (op === 'freeze') this.#frozen.add(i);
			this.backend[op](bus);
		}
	}

	/** Ends all faults, and changes each topic once more, by which lost changes are noticed. */
	async heal(): Promise<void> {
		for (let i = 0; i < NODES; i++) this.#fault('restore', i);
		await until(() => this.nodes.every(({ provider }) => provider.status === 'ready'), { what: 'all nodes are ready' });
		await this.connect(0, 'marker', [...TOPICS]);
	}

	/** The members that there must be, with their connections. */
	expected(topic: string): Record<string, number> {
		const counts: Record<string, number> = {};
		for (const { key, topics } of this.known) if (topics.has(topic)) counts[key] = (counts[key] ?? 0) + 1;
		return sorted(Object.entries(counts));
	}

	/** Returns what is not as it must be, for all who watch; undefined if everything is. */
	async difference(membersUpTo: number): Promise<string | undefined> {
		for (const topic of TOPICS) {
			const expected = this.expected(topic);
			const count = Object.keys(expected).length;
			const page = await (this.observer as TestNode).provider.presence.members(topic, { limit: 1_000 });
			const stored = sorted(page.members.map(({ key, connections }) => [key, connections]));
			const infos = new Map(page.members.map(({ key, info }) => [key, JSON.stringify(info)]));
			if (!Bun.deepEquals(stored, expected)) return `stored ${show(stored)}, expected ${show(expected)}`;
			for (const [each, ledger] of this.ledgers) {
				if (each !== topic) continue;
				const told = sorted([...ledger.members]);
				if (ledger.count !== count) return `a listener counts ${ledger.count}, not ${count}`;
				if (ledger.areMembersKnown ? !Bun.deepEquals(told, expected) : count <= membersUpTo * 0.9 - 1)
					return `a listener was told ${show(told)}, expected ${show(expected)}`;
			}
			for (const { watches } of this.known) {
				const watch = watches.get(topic);
				if (watch === undefined) continue;
				const seen = watch.seen();
				if (watch.faults.length > 0) throw new Error(watch.faults.join());
				if (watch.isStale) return 'a client still sees stale members';
				if (watch.count !== count) return `a client counts ${watch.count}, not ${count}`;
				if (!watch.areMembersKnown) continue;
				const connections = sorted(Object.entries(seen).map(([key, each]) => [key, each.connections]));
				if (!Bun.deepEquals(connections, expected))
					return `a client sees ${show(connections)}, expected ${show(expected)}`;
				for (const [key, { info }] of Object.entries(seen)) {
					if (JSON.stringify(info) !== infos.get(key)) return `a client sees other info of ${key}`;
				}
			}
		}
		return undefined;
	}

	async close(): Promise<void> {
		await Promise.all(this.nodes.map((each) => each.close()));
		await this.observer?.close();
		this.backend.close();
	}
}

function sorted(entries: [string, number][]): Record<string, number> {
	return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function show(value: unknown): string {
	return JSON.stringify(value);
}

async function follows(steps: readonly Step[], leaveDelayMs: number, membersUpTo: number): Promise<void> {
	const world = new World();
	onTestFinished(() => world.close());
	try {
		await world.open(leaveDelayMs, membersUpTo);
		for (const step of steps) await world.run(step);
		await world.heal();
		let difference: string | undefined;
		await until(async () => (difference = await world.difference(membersUpTo)) === undefined, {
			what: () => `all see the members: ${difference}`,
			timeoutMs: 15_000,
		});
		expect(world.ledgers.flatMap(([, { faults }]) => faults)).toEqual([]);
	} finally {
		await world.close();
	}
}

const delay = fc.constantFrom(0, 150);
const upTo = fc.constantFrom(1_000, 6);

it.each([
	['', member, 15],
	[' while connections break and changes get lost', [...member, ...faults], 15],
	[' while the backend loses its data', [...member, ...faults, loss], 4],
])(
	'who watches is told exactly what changes on three nodes%s',
	async (_, steps, numRuns) => {
		const all = fc.array(fc.oneof(...steps) as fc.Arbitrary<Step>, { minLength: 10, maxLength: 60, size: 'max' });
		await fc.assert(fc.asyncProperty(all, delay, upTo, follows), { numRuns, endOnFailure: true });
	},
	120_000,
);
