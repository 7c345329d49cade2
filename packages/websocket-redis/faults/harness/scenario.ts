/** Topics with the same publishers and subscribers. */
export interface TopicGroup {
	readonly prefix: string;
	readonly count: number;
	/** The nodes that publish on these topics. */
	readonly publishers: readonly string[];
	/** The nodes with clients that are subscribed to these topics. */
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
	/**
	 * The clients per node: the first subscribes to all topics of the node, the second to every other one, and so on.
	 */
	readonly clientsPerNode: number;
	/** The number of messages that each node publishes to topics per second. */
	readonly messages: number;
	/** The number of broadcasts that each node sends per second. */
	readonly broadcasts: number;
	/** The number of messages that each node sends to each client per second. */
	readonly directMessages: number;
}

const BOTH = ['a', 'b'];

/** Two nodes, with topics that only one of them publishes on or subscribes to, so that a wrong gap event is noticed. */
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
