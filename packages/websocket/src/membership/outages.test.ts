import { until } from '@orijs/testkit';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Gap } from '../loss/gap-events.ts';
import type { SubscribedTopic } from '../protocol/built-in.ts';
import type { MessagePosition, Position } from '../protocol/position.ts';
import { SUBPROTOCOL } from '../protocol/subprotocol.ts';
import { type Member, messagesOf, openNode, type TestNode } from '../test-support/test-node.ts';
import { MemoryBackend } from '../testing/index.ts';

const HISTORY = { 'long:*': { size: 10_000, ttlMs: 60_000 } };
const TOPICS = ['a', 'b', 'long:1', 'long:2'];

const topic = fc.constantFrom(...TOPICS);
const who = fc.nat(3);
const step = fc.oneof(
	{ weight: 5, arbitrary: fc.record({ op: fc.constant('subscribe' as const), topic, who, past: fc.boolean() }) },
	{ weight: 4, arbitrary: fc.record({ op: fc.constant('unsubscribe' as const), topic, who }) },
	{ weight: 4, arbitrary: fc.record({ op: fc.constant('publish' as const), topic, node: fc.nat(1) }) },
	{ weight: 2, arbitrary: fc.record({ op: fc.constant('wait' as const), ms: fc.nat(15) }) },
	{ weight: 1, arbitrary: fc.record({ op: fc.constantFrom('cut', 'freeze', 'restore'), node: fc.nat(1) }) },
);

interface Frame {
	readonly type?: string;
	readonly data: string | { readonly topics: readonly SubscribedTopic[] };
	readonly position?: MessagePosition;
}

/** What a client knows from the frames that it has received: its topics, and where they stand. */
class View {
	readonly topics = new Set<string>();
	readonly #positions = new Map<string, Position>();

	/** Throws if a message of a topic with history does not follow the one before. */
	constructor(member: Member) {
		for (const text of messagesOf(member).map(String)) {
			if (!text.startsWith('{')) continue;
			const { type, data, position } = JSON.parse(text) as Frame;
			if (type === '@gap') continue;
			if (typeof data === 'string') this.#message(data, position as MessagePosition);
			else if (type === '@position') this.#move(data as unknown as Position & { topics: string[] });
			else for (const each of data.topics) this.#change(type === '@subscribed', each);
		}
	}

	#change(isIn: boolean, { topic: name, position }: SubscribedTopic): void {
		if (!isIn) {
			this.topics.delete(name);
			this.#positions.delete(name);
			return;
		}
		this.topics.add(name);
		if (position !== undefined) this.#positions.set(name, position);
	}

	#move({ topics, epoch, offset }: Position & { topics: readonly string[] }): void {
		for (const name of topics) if (this.#positions.has(name)) this.#positions.set(name, { epoch, offset });
	}

	#message(text: string, { epoch, offset, prev }: MessagePosition): void {
		const name = text.split(' ')[0] as string;
		expect([text, this.#positions.get(name)]).toEqual([text, { epoch, offset: prev }]);
		this.#positions.set(name, { epoch, offset });
	}
}

it('whatever happens to the backend, node and client agree in the end, and no message is out of order', async () => {
	await fc.assert(
		fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 80, size: 'max' }), async (steps) => {
			const backend = new MemoryBackend({ liveness: true });
			const buses = [backend.createBus(), backend.createBus()] as const;
			const options = { history: HISTORY, subprotocol: SUBPROTOCOL, heartbeatMs: 60, graceMs: 5 };
			const nodes = [await openNode({ ...options, bus: buses[0] }), await openNode({ ...options, bus: buses[1] })];
			const clients: { node: TestNode; member: Member; topics: Set<string> }[] = [];
			for (let i = 0; i < 4; i++) {
				const node = nodes[i % 2] as TestNode;
				clients.push({ node, member: await node.connect(), topics: new Set() });
			}
			const cut = new Set<number>();
			let published = 0;
			const publish = (node: TestNode, name: string): void =>
				void node.provider.publish(name, `${name} ${published++}`).catch(() => {});
			for (const each of steps) {
				if (each.op === 'wait') await Bun.sleep(each.ms);
				else if (each.op === 'publish') publish(nodes[each.node] as TestNode, each.topic);
				else if (each.op === 'subscribe' || each.op === 'unsubscribe') {
					const { node, member, topics } = clients[each.who] as (typeof clients)[number];
					if (each.op === 'subscribe') {
						topics.add(each.topic);
						node.provider.subscribe(member.id, each.topic, { past: each.past }).catch(() => topics.delete(each.topic));
					} else {
						topics.delete(each.topic);
						void node.provider.unsubscribe(member.id, each.topic);
					}
				} else {
					// A link that is frozen is replaced by the provider, once it has noticed.
					const isCut = cut.has(each.node);
					if (each.op === 'freeze' ? isCut : each.op === 'restore' && !isCut) continue;
					backend[each.op](buses[each.node as 0 | 1]);
					if (each.op === 'cut') cut.add(each.node);
					else cut.delete(each.node);
				}
			}
			for (const node of cut) backend.restore(buses[node as 0 | 1]);
			await until(() => nodes.every(({ provider }) => provider.status === 'ready'), { what: 'all is well again' });
			const agree = (): boolean =>
				clients.every(({ member, topics }) => {
					const view = new View(member);
					return String([...view.topics].toSorted()) === String([...topics].toSorted());
				});
			await until(agree, { what: 'the clients know what the nodes know', timeoutMs: 10_000 });
			for (const { member, topics } of clients) expect(new Set(member.ws.data.topics)).toEqual(topics);

			const from = published;
			const isReceiving = (): boolean => {
				for (const node of nodes) for (const name of TOPICS) publish(node, name);
				return clients.every(({ member, topics }) => {
					const texts = messagesOf(member).map(String);
					return [...topics].every((name) => texts.some((text) => numberIn(text, name) >= from));
				});
			};
			await until(isReceiving, { what: 'every client receives the messages of its topics' });
			expect(agree()).toBe(true);
			await Promise.all(nodes.map((node) => node.close()));
			backend.close();
		}),
		{ numRuns: 15, endOnFailure: true },
	);
}, 120_000);

it.each([
	['by themselves', 32],
	['collected', 1],
])(
	'a client that is removed while the backend is away is told what it may have missed until then, if beats come %s',
	async (_, collectBeatsAbove) => {
		const backend = new MemoryBackend({ liveness: true });
		const buses = [backend.createBus(), backend.createBus()] as const;
		const options = { history: HISTORY, subprotocol: SUBPROTOCOL, collectBeatsAbove };
		const [node, other] = [
			await openNode({ ...options, bus: buses[0] }),
			await openNode({ ...options, bus: buses[1] }),
		];
		const member = await node.connect();
		const topics = ['a', 'long:1'];
		const { provider } = node;
		const remove = (): Promise<unknown> =>
			Promise.all(topics.map((name) => provider.unsubscribe(member.id, name, { code: 'removed' })));
		const subscribe = (): Promise<unknown> => Promise.all(topics.map((name) => provider.subscribe(member.id, name)));
		await subscribe();
		await remove();
		await subscribe();
		if (collectBeatsAbove === 1)
			await until(() => provider.watermark().lagMs > 1_100, { what: 'the node lags behind by the time of a digest' });
		backend.cut(buses[0]);
		const missedAt = Date.now();
		for (const name of topics) await other.provider.publish(name, 'missed');
		await until(() => provider.watermark().isLagging, { what: 'the node lags behind' });
		await remove();
		await node.settled(member);

		const frames = messagesOf(member).map((frame) => JSON.parse(String(frame)) as { type: string; data: Partial<Gap> });
		// No gap was reported when it was removed before.
		expect(frames.filter(({ type }) => type === '@gap')).toHaveLength(2);
		expect(frames.slice(-3).map(({ type }) => type)).toEqual(['@gap', '@gap', '@unsubscribed']);
		for (const [index, name] of topics.entries()) {
			const { topic: gapTopic, since = Infinity, until: end = 0 } = frames.at(index - 3)?.data ?? {};
			expect([gapTopic, since <= missedAt, end >= missedAt]).toEqual([name, true, true]);
		}
		await Promise.all([node, other].map((each) => each.close()));
		backend.close();
	},
);

/** Returns the number of a message of a topic; -1 for any other frame. */
function numberIn(text: string, name: string): number {
	const found = new RegExp(`(^|"data":")${name} (\\d+)`).exec(text);
	return found === null ? -1 : Number(found[2]);
}
