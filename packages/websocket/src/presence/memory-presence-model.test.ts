import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { assertLeadTo } from '../testing/presence-assertions.ts';
import { decodeFrame, encodePresenceHeader, type Presence } from '../wire/frame.ts';
import { MemoryPresence } from './memory-presence.ts';
import type { PresenceLease, PresenceOp } from './presence-store.ts';

const LEASE_MS = 10_000;
const RENEWAL_MS = 2_000;
const TOPICS = ['t', 'u', 'v'];
const KEYS = ['user:1', 'user:2', 'user:3', 'user:4'];
const HEADER = encodePresenceHeader({ origin: 1, shard: 0, incarnation: 0 });

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

type Step =
	| { readonly kind: 'put' | 'remove' | 'linger'; readonly node: number; readonly topic: string; readonly key: string }
	| { readonly kind: 'die' | 'freeze' | 'thaw' | 'stop'; readonly node: number }
	| { readonly kind: 'nap'; readonly node: number; readonly renewals: number }
	| { readonly kind: 'pass'; readonly renewals: number }
	| { readonly kind: 'setClock'; readonly byMs: number };

const anyNode = fc.nat(2);
const anyStep: fc.Arbitrary<Step> = fc.oneof(
	{
		weight: 10,
		arbitrary: fc.record({
			kind: fc.constantFrom('put', 'put', 'remove', 'linger'),
			node: anyNode,
			topic: fc.constantFrom(...TOPICS),
			key: fc.constantFrom(...KEYS),
		}),
	},
	{
		weight: 3,
		arbitrary: fc.record({ kind: fc.constantFrom('die', 'freeze', 'freeze', 'thaw', 'thaw', 'stop'), node: anyNode }),
	},
	{
		weight: 3,
		arbitrary: fc.record({ kind: fc.constant('nap'), node: anyNode, renewals: fc.integer({ min: 3, max: 9 }) }),
	},
	{ weight: 3, arbitrary: fc.record({ kind: fc.constant('pass'), renewals: fc.integer({ min: 1, max: 8 }) }) },
	{
		weight: 1,
		arbitrary: fc.record({ kind: fc.constant('setClock'), byMs: fc.constantFrom(-3_600_000, -3_000, 3_600_000) }),
	},
) as fc.Arbitrary<Step>;

/** A node, and what it has put: its live members by topic and key. */
class ModelNode {
	lease: PresenceLease = { nodeId: crypto.randomUUID(), generation: 1 };
	readonly live = new Set<string>();
	state: 'running' | 'frozen' | 'gone' = 'running';
}

class Model {
	readonly changes = new Map<string, Presence[]>(TOPICS.map((topic) => [topic, []]));
	readonly store = new MemoryPresence(
		(topic, frame) => void this.changes.get(topic)?.push(decodeFrame(frame, 0) as Presence),
		{ isShared: true },
	);
	readonly nodes = [new ModelNode(), new ModelNode(), new ModelNode()];

	async start(): Promise<void> {
		for (const { lease } of this.nodes) await this.store.renew(lease, LEASE_MS, true);
	}

	async run(step: Step): Promise<void> {
		if (step.kind === 'pass') return this.pass(step.renewals);
		if (step.kind === 'setClock') return void vi.setSystemTime(Date.now() + step.byMs);
		const node = this.nodes[step.node]!;
		if (step.kind === 'thaw') return this.thaw(node);
		if (node.state !== 'running') return;
		if (step.kind === 'nap') {
			node.state = 'frozen';
			await this.pass(step.renewals);
			return this.thaw(node);
		}
		if ('topic' in step) return this.apply(node, step.topic, step.kind, step.key);
		if (step.kind === 'stop') await this.store.release(node.lease, LEASE_MS);
		node.state = step.kind === 'freeze' ? 'frozen' : 'gone';
	}

	async apply(node: ModelNode, topic: string, kind: 'put' | 'remove' | 'linger', key: string): Promise<void> {
		const op = { kind, key, connections: 1, ageMs: 0, info: undefined, ms: 5_000 } as PresenceOp;
		await this.store.apply(topic, { lease: node.lease, header: HEADER, ops: [op], membersUpTo: 1_000 });
		if (kind === 'put') node.live.add(`${topic} ${key}`);
		else node.live.delete(`${topic} ${key}`);
	}

	/** Lets time pass, in which running nodes renew their leases and sweep. */
	async pass(renewals: number): Promise<void> {
		for (let left = renewals; left > 0; left--) {
			vi.setSystemTime(Date.now() + RENEWAL_MS);
			for (const node of this.nodes) {
				if (node.state === 'running') expect(await this.renew(node), 'who renews in time keeps its lease').toBe(true);
			}
		}
	}

	/** Returns whether the lease holds. */
	async renew(node: ModelNode): Promise<boolean> {
		const { isKept, expired } = await this.store.renew(node.lease, LEASE_MS, false);
		for (const lease of expired) {
			await this.store.sweep(lease, { header: HEADER, membersUpTo: () => 1_000, topics: 1 });
		}
		return isKept;
	}

	/** If its lease has ended meanwhile, a node takes another generation, and puts its members again. */
	async thaw(node: ModelNode): Promise<void> {
		if (node.state !== 'frozen') return;
		node.state = 'running';
		if (await this.renew(node)) return;
		node.lease = { ...node.lease, generation: node.lease.generation + 1 };
		expect((await this.store.renew(node.lease, LEASE_MS, true)).isKept).toBe(true);
		await this.putAll(node);
	}

	async putAll(node: ModelNode): Promise<void> {
		for (const topic of TOPICS) {
			for (const key of KEYS) if (node.live.has(`${topic} ${key}`)) await this.apply(node, topic, 'put', key);
		}
	}

	async removeOthers(node: ModelNode): Promise<void> {
		for (const topic of TOPICS) {
			for (const key of KEYS) if (!node.live.has(`${topic} ${key}`)) await this.apply(node, topic, 'remove', key);
		}
	}

	/** Asserts that the members of running nodes are there, and that the changes have led to what is stored. */
	async check(isSettled: boolean): Promise<void> {
		const wanted = new Set(this.nodes.flatMap(({ state, live }) => (state === 'running' ? [...live] : [])));
		for (const topic of TOPICS) {
			const read = await this.store.read(topic, { limit: 1_000 });
			const present = new Set(read.members.map(({ key }) => `${topic} ${key}`));
			for (const each of wanted) if (each.startsWith(`${topic} `)) expect(present).toContain(each);
			if (isSettled) for (const each of present) expect(wanted).toContain(each);
			// An empty topic is forgotten, and begins in another epoch, if the clock was set forward.
			assertLeadTo(this.changes.get(topic)?.filter(({ epoch }) => epoch === read.version?.epoch) ?? [], read);
		}
	}
}

it('who is connected is a member, and others are gone after the leases of dead nodes have ended', async () => {
	await fc.assert(
		fc.asyncProperty(fc.array(anyStep, { maxLength: 40 }), async (steps) => {
			const model = new Model();
			await model.start();
			for (const step of steps) {
				await model.run(step);
				await model.check(false);
			}
			for (const node of model.nodes) await model.thaw(node);
			await model.check(false);
			// Someone must be there to sweep. What lingers at a node that runs is for that node to expire.
			const sweeper = new ModelNode();
			await model.store.renew(sweeper.lease, LEASE_MS, true);
			model.nodes.push(sweeper);
			for (const node of model.nodes) if (node.state === 'running') await model.removeOthers(node);
			await model.pass(30);
			await model.check(true);
		}),
		{ numRuns: 500 },
	);
});
