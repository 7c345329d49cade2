import { deepEqual, equal } from 'node:assert/strict';
import type { PresenceChange } from '../presence/presence-contract.ts';
import type { CaseContext } from './case-context.ts';
import type { Requirements } from './conformance.ts';
import { presenceOf } from './presence-node.ts';
import { type ProviderNode, TOPIC } from './provider-node.ts';
import { ProviderPair } from './provider-pair.ts';
import { attemptUntil, until } from './waiting.ts';

const PRESENCE = { [TOPIC]: { leaveDelayMs: 0 } };

/** The requirements for providers that keep presence by this bus. */
export const PROVIDERS: Requirements = {
	async 'providers agree on the members of all nodes, and tell who joins and leaves'(context) {
		const { pair, changes } = await startPair(context);
		const client = pair.a.connect();
		await untilTold(context, changes, 'joined');
		await untilCount(context, pair, 3);
		client.close();
		await untilTold(context, changes, 'left');
		await untilCount(context, pair, 2);
		deepEqual(keysOf(changes, 'joined'), keysOf(changes, 'left'));
		deepEqual(await keys(pair.a), await keys(pair.b));
	},

	async 'in an outage providers keep the members of other nodes, and who stays does not leave'(context) {
		context.needs('cut', 'restore');
		const { pair, changes } = await startPair(context);
		const stayed = await keys(pair.b);
		await context.cut(pair.b.bus);
		let isStale = false;
		await attemptUntil(
			async () => ({ isStale } = await pair.b.presence.members(TOPIC)),
			() => isStale,
			context.timeoutMs,
			() => 'the outage is not noticed',
		);
		deepEqual(await keys(pair.b), stayed);
		pair.a.connect();
		await context.restore(pair.b.bus);
		await untilCount(context, pair, 3);
		deepEqual(await keys(pair.a), await keys(pair.b));
		await untilTold(context, changes, 'joined');
		deepEqual(keysOf(changes, 'left'), []);
	},

	async 'what the backend has lost is put back, and who stays does not leave'(context) {
		context.needs('losePresence');
		const { pair, changes } = await startPair(context);
		await context.losePresence();
		pair.a.connect();
		await untilCount(context, pair, 3);
		await untilStored(context, pair.a, 3);
		deepEqual(keysOf(changes, 'left'), []);
	},
};

interface StartedPair {
	readonly pair: ProviderPair;
	/** What the second node has told. */
	readonly changes: PresenceChange[];
}

/** Starts two providers, each with a client, that know each other's member. The second one is asked for changes. */
async function startPair(context: CaseContext): Promise<StartedPair> {
	presenceOf(await context.createBus());
	const pair = await ProviderPair.start(context, { presence: PRESENCE });
	const changes: PresenceChange[] = [];
	pair.b.presence.onChange(TOPIC, (change) => changes.push(change));
	await untilCount(context, pair, 2);
	changes.length = 0;
	return { pair, changes };
}

/** Resolves once both nodes say that there are that many members. */
async function untilCount({ timeoutMs }: CaseContext, pair: ProviderPair, count: number): Promise<void> {
	let counts: number[] = [];
	const failure = (): string => `there should be ${count} members, but the nodes say ${counts.join(' and ')}`;
	await attemptUntil(
		async () => (counts = await Promise.all([pair.a, pair.b].map(({ presence }) => presence.count(TOPIC)))),
		() => counts.length > 0 && counts.every((each) => each === count),
		timeoutMs,
		failure,
	);
}

/** Resolves once one member is said to have joined or left. */
async function untilTold(
	{ timeoutMs }: CaseContext,
	changes: readonly PresenceChange[],
	kind: 'joined' | 'left',
): Promise<void> {
	await until(
		() => keysOf(changes, kind).length > 0,
		timeoutMs,
		() => `it is not said that a member has ${kind}`,
	);
	equal(keysOf(changes, kind).length, 1);
}

/** Resolves once the backend has that many members. */
async function untilStored({ timeoutMs }: CaseContext, { bus }: ProviderNode, count: number): Promise<void> {
	let stored: number | undefined;
	await attemptUntil(
		async () => (stored = (await presenceOf(bus).count(TOPIC)).count),
		() => stored === count,
		timeoutMs,
		() => `the backend should have ${count} members, but has ${stored}`,
	);
}

async function keys({ presence }: ProviderNode): Promise<string[]> {
	return (await presence.members(TOPIC)).members.map(({ key }) => key);
}

function keysOf(changes: readonly PresenceChange[], kind: 'joined' | 'left'): string[] {
	return changes.flatMap((change) => change[kind].map(({ key }) => key));
}
