import type { PresenceMember } from '@orijs/websocket/protocol';
import type { PresenceClient } from './presence-client.ts';
import type { PresenceNode } from './presence-node.ts';
import type { Listened, NodeMembers } from './protocol.ts';

/** A member as the clients know it. */
interface True {
	connections: number;
	/** Undefined if it depends on which of several connections was the last to change it. */
	info: unknown;
}

/** Returns in what nodes and watchers are wrong about the members of any topic, while nothing changes: sentences. */
export async function differences(
	clients: readonly PresenceClient[],
	nodes: readonly PresenceNode[],
): Promise<string[]> {
	const truth = trueMembers(clients);
	if (typeof truth === 'string') return [truth];
	const found: string[] = [];
	for (const [topic, members] of truth) {
		for (const node of nodes) {
			const seen = await node.ask<NodeMembers>({ do: 'members', topic });
			found.push(...compare(`node ${node.name}, ${topic}`, members, seen.members));
			if (seen.count !== members.size || seen.counted !== members.size)
				found.push(`node ${node.name}, ${topic}: counts ${seen.count} and ${seen.counted} for ${members.size} members`);
			if (seen.isStale) found.push(`node ${node.name}, ${topic}: its members are stale`);
		}
	}
	for (const node of nodes) {
		const { keys, doubled } = await node.ask<Listened>({ do: 'listened' });
		for (const [topic, known] of keys)
			found.push(...compareKeys(`listener of node ${node.name}, ${topic}`, truth.get(topic), known));
		found.push(...doubled.map((what) => `listener of node ${node.name}: ${what}`));
	}
	for (const client of clients) found.push(...viewsOf(client, truth));
	return found;
}

/** Returns the members of each topic; a sentence if clients are not where they want to be. */
function trueMembers(clients: readonly PresenceClient[]): Map<string, Map<string, True>> | string {
	const truth = new Map<string, Map<string, True>>();
	for (const { name, key, status, wanted, joined, socketId, isHere } of clients) {
		if (!isHere) continue;
		if (socketId === undefined) return `${name} is not ready`;
		for (const topic of wanted) {
			if (joined.get(topic)?.stay.from === Infinity || !joined.has(topic)) return `${name} is not in ${topic}`;
			let members = truth.get(topic);
			if (members === undefined) truth.set(topic, (members = new Map()));
			const member = members.get(key);
			if (member === undefined)
				members.set(key, { connections: 1, info: status === undefined ? { name } : { status, name } });
			else {
				member.connections++;
				member.info = undefined;
			}
		}
	}
	return truth;
}

function viewsOf(
	{ name, joined, watches, node }: PresenceClient,
	truth: ReadonlyMap<string, ReadonlyMap<string, True>>,
): string[] {
	if (!watches) return [];
	return [...joined].flatMap(([topic, { view }]) => {
		const who = `${name} on ${node?.name}, ${topic}`;
		const members = truth.get(topic) ?? new Map<string, True>();
		if (view === undefined) return `${who}: it does not watch`;
		const { isComplete, isStale, count, members: seen } = view.members;
		if (!isComplete) return `${who}: pages are missing`;
		if (isStale) return `${who}: it was told that its members are stale`;
		if (count !== members.size) return `${who}: a count of ${count} for ${members.size} members`;
		return seen === undefined ? [] : compare(who, members, [...seen.values()]);
	});
}

function compare(who: string, truth: ReadonlyMap<string, True>, seen: readonly PresenceMember[]): string[] {
	const found = compareKeys(
		who,
		truth,
		seen.map(({ key }) => key),
	);
	for (const { key, connections, info, since } of seen) {
		const member = truth.get(key);
		if (member === undefined) continue;
		if (member.connections !== connections)
			found.push(`${who}: ${key} has ${connections} connections, not ${member.connections}`);
		if (member.info !== undefined && !Bun.deepEquals(member.info, info))
			found.push(`${who}: the info of ${key} is ${JSON.stringify(info)}, not ${JSON.stringify(member.info)}`);
		if (!(Math.abs(Date.now() - since) < 3_600_000)) found.push(`${who}: ${key} is there since ${since}`);
	}
	return found;
}

function compareKeys(who: string, truth: ReadonlyMap<string, True> | undefined, seen: readonly string[]): string[] {
	const found: string[] = [];
	const known = new Set(seen);
	if (known.size !== seen.length) found.push(`${who}: members are listed twice`);
	for (const key of truth?.keys() ?? []) if (!known.has(key)) found.push(`${who}: ${key} is missing`);
	for (const key of known) if (truth?.has(key) !== true) found.push(`${who}: ${key} is there, and should not be`);
	return found;
}
