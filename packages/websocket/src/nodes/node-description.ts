/** What a node says of itself: in a hello, and at the backend, as JSON. */
export interface NodeDescription {
	readonly id: string;
	/** The name of its machine. */
	readonly host: string;
	/** The version of its `@orijs/websocket`. */
	readonly version: string;
	/** When it was started, in milliseconds since the epoch, by its own clock. */
	readonly startedAt: number;
	/** See {@link NodeLease}. */
	readonly generation: number;
	/** The version of the protocol by which nodes act on each other's sockets. */
	readonly cluster: number;
}

export type Asked = 'all' | 'unlisted';

/** What a hello says. */
export interface Greeting extends NodeDescription {
	/** Which nodes the sender asks to say who they are, if any: `unlisted` are those that the backend can't list. */
	readonly asks?: Asked | false;
}

export const CLUSTER_VERSION = 1;

/** Returns what a text from another node says; undefined if it is no description. */
export function readDescription(text: string): Greeting | undefined {
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch {
		return undefined;
	}
	if (typeof value !== 'object' || value === null) return undefined;
	const { id, host, version, startedAt, generation, cluster, asks } = value as Record<string, unknown>;
	if (typeof id !== 'string' || typeof host !== 'string' || typeof version !== 'string') return undefined;
	if (typeof startedAt !== 'number' || typeof generation !== 'number' || typeof cluster !== 'number') return undefined;
	return {
		id,
		host,
		version,
		startedAt,
		generation,
		cluster,
		asks: asks === 'all' || asks === 'unlisted' ? asks : false,
	};
}
