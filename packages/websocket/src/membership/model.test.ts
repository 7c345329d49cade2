import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SUBPROTOCOL } from '../protocol/subprotocol.ts';
import { type Member, messagesOf, openNode } from '../test-support/test-node.ts';

const HISTORY = { 'long:*': { size: 1_000, ttlMs: 60_000 } };

type Event = readonly [what: 'in' | 'out' | 'message', topic: string, text?: string];

const topic = fc.constantFrom('a', 'b', 'long:1', 'long:2');
const by = fc.constantFrom('server' as const, 'client' as const);
const step = fc.oneof(
	{ weight: 4, arbitrary: fc.record({ op: fc.constant('subscribe' as const), topic, by, who: fc.nat(2) }) },
	{ weight: 3, arbitrary: fc.record({ op: fc.constant('unsubscribe' as const), topic, by, who: fc.nat(2) }) },
	{ weight: 4, arbitrary: fc.record({ op: fc.constant('publish' as const), topic }) },
	{ weight: 2, arbitrary: fc.record({ op: fc.constant('wait' as const), microtasks: fc.nat(3) }) },
);

/** Returns what a client was sent of its topics, in order. */
function eventsOf(member: Member): Event[] {
	return messagesOf(member).flatMap((frame): Event[] => {
		const text = String(frame);
		if (!text.startsWith('{')) return [['message', text.split(' ')[0] as string, text]];
		const { type, data } = JSON.parse(text) as { type?: string; data: unknown };
		if (type === undefined) return [['message', String(data).split(' ')[0] as string, String(data)]];
		if (type !== '@subscribed' && type !== '@unsubscribed') return [];
		const what = type === '@subscribed' ? 'in' : 'out';
		return (data as { topics: { topic: string }[] }).topics.map((each) => [what, each.topic]);
	});
}

/** Several notices that a client is in a topic can be one, if nothing comes between them. */
function withoutRepeats(events: readonly Event[]): Event[] {
	const kept: Event[] = [];
	let run = new Set<string>();
	for (const event of events) {
		const [what, name] = event;
		if (what !== 'in') run = new Set();
		else if (run.has(name)) continue;
		else run.add(name);
		kept.push(event);
	}
	return kept;
}

it('clients are told what the server does, in the order of its calls and of all messages', async () => {
	await fc.assert(
		fc.asyncProperty(
			fc.array(step, { minLength: 5, maxLength: 60, size: 'max' }),
			fc.boolean(),
			async (steps, setServer) => {
				const node = await openNode({ history: HISTORY, subprotocol: SUBPROTOCOL, setServer });
				const { provider } = node;
				const clients = await Promise.all(
					[0, 1, 2].map(async () => ({
						member: await node.connect(),
						topics: new Set<string>(),
						expected: [] as Event[],
					})),
				);
				let published = 0;
				for (const each of steps) {
					if (each.op === 'wait') {
						for (let i = 0; i < each.microtasks; i++) await Promise.resolve();
					} else if (each.op === 'publish') {
						const text = `${each.topic} ${published++}`;
						void provider.publish(each.topic, text);
						for (const { topics, expected } of clients) {
							if (topics.has(each.topic)) expected.push(['message', each.topic, text]);
						}
					} else {
						const { member, topics, expected } = clients[each.who] as (typeof clients)[number];
						const was = topics.has(each.topic);
						if (each.op === 'subscribe') {
							void provider.subscribe(member.id, each.topic, { by: each.by });
							topics.add(each.topic);
							if (each.by === 'server') expected.push(['in', each.topic]);
						} else {
							void provider.unsubscribe(member.id, each.topic, { by: each.by });
							topics.delete(each.topic);
							if (each.by === 'server' && was) expected.push(['out', each.topic]);
						}
					}
				}
				await new Promise((resolve) => setImmediate(resolve));
				await Promise.all(clients.map(({ member }) => node.settled(member)));
				for (const { member, topics, expected } of clients) {
					expect(withoutRepeats(eventsOf(member))).toEqual(withoutRepeats(expected));
					expect(new Set(member.ws.data.topics)).toEqual(topics);
				}
				await node.close();
			},
		),
		{ numRuns: 60 },
	);
}, 60_000);
