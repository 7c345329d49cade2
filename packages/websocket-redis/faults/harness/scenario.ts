/** Topics with the same publishers and subscribers. */
export interface TopicGroup {
	readonly prefix: string;
	readonly count: number;
	/** Nodes that publish on them. */
	readonly publishers: readonly string[];
	/** Nodes with clients that are subscribed to them. */
	readonly subscribers: readonly string[];
}

/** The nodes, topics and clients of a run, and the load. */
export interface Scenario {
	/** The nodes that run from the start. */
	readonly nodes: readonly string[];
	/** The nodes that connect to the backend through a proxy, one proxy each. */
	readonly proxied: readonly string[];
	/** The nodes that may be killed: what they publish is recorded outside their processes. Default: none. */
	readonly mortal?: readonly string[];
	readonly groups: readonly TopicGroup[];
	/** Clients per node: the first subscribes to all topics of the node, the second to every other one, and so on. */
	readonly clientsPerNode: number;
	/** Messages published to topics, per second and node. */
	readonly messages: number;
	readonly broadcasts: number;
	/** Per second and node, to each client. */
	readonly directMessages: number;
}

const BOTH = ['a', 'b'];

/** Topics of both nodes, with one publisher, and with subscribers on one node: a wrong gap event would be noticed. */
export const TWO_NODES: Scenario = {
	nodes: BOTH,
	proxied: [],
	groups: [
		{ prefix: 'shared', count: 20, publishers: BOTH, subscribers: BOTH },
		{ prefix: 'from-a', count: 10, publishers: ['a'], subscribers: BOTH },
		{ prefix: 'from-b', count: 10, publishers: ['b'], subscribers: BOTH },
		{ prefix: 'room-a', count: 5, publishers: BOTH, subscribers: ['a'] },
		{ prefix: 'room-b', count: 5, publishers: BOTH, subscribers: ['b'] },
	],
	clientsPerNode: 2,
	messages: 1_000,
	broadcasts: 20,
	directMessages: 20,
};

export function topicsOfSubscriber({ groups }: Scenario, node: string): string[] {
	return groups.filter(({ subscribers }) => subscribers.includes(node)).flatMap(topicsOf);
}

export function topicsOfPublisher({ groups }: Scenario, node: string): string[] {
	return groups.filter(({ publishers }) => publishers.includes(node)).flatMap(topicsOf);
}

function topicsOf({ prefix, count }: TopicGroup): string[] {
	return Array.from({ length: count }, (_, i) => `${prefix}:${i}`);
}
