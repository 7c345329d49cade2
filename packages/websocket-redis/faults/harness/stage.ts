/** Topics that have the same publishers and members. */
export interface TopicGroup {
	readonly prefix: string;
	readonly count: number;
	/** Nodes that publish on them. */
	readonly publishers: readonly string[];
	/** Nodes with clients in them. */
	readonly members: readonly string[];
}

/** Who takes part in a run, and how much they say. */
export interface Stage {
	/** Nodes there are from the start. */
	readonly nodes: readonly string[];
	/** Nodes whose way to the backend goes through a proxy of their own. */
	readonly proxied: readonly string[];
	readonly groups: readonly TopicGroup[];
	/** Clients on each node: the first is in all of the node's topics, the second in every other one, and so on. */
	readonly clientsPerNode: number;
	/** Published each second, by each node. */
	readonly messages: number;
	readonly broadcasts: number;
	/** To each client. */
	readonly directMessages: number;
}

const BOTH = ['a', 'b'];

/** Topics of both, of one publisher only, and of one node's clients only: a gap event too many has a place to show. */
export const TWO_NODES: Stage = {
	nodes: BOTH,
	proxied: [],
	groups: [
		{ prefix: 'shared', count: 20, publishers: BOTH, members: BOTH },
		{ prefix: 'from-a', count: 10, publishers: ['a'], members: BOTH },
		{ prefix: 'from-b', count: 10, publishers: ['b'], members: BOTH },
		{ prefix: 'room-a', count: 5, publishers: BOTH, members: ['a'] },
		{ prefix: 'room-b', count: 5, publishers: BOTH, members: ['b'] },
	],
	clientsPerNode: 2,
	messages: 1_000,
	broadcasts: 20,
	directMessages: 20,
};

export function topicsOfMember({ groups }: Stage, node: string): string[] {
	return groups.filter(({ members }) => members.includes(node)).flatMap(topicsOf);
}

export function topicsOfPublisher({ groups }: Stage, node: string): string[] {
	return groups.filter(({ publishers }) => publishers.includes(node)).flatMap(topicsOf);
}

function topicsOf({ prefix, count }: TopicGroup): string[] {
	return Array.from({ length: count }, (_, i) => `${prefix}:${i}`);
}
