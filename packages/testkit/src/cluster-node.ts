import { parseView } from './cluster-view.ts';
import type { ClusterView } from './cluster-view.ts';
import { fulfilled } from './fulfilled.ts';
import { startRedis } from './redis-server.ts';
import type { RedisOptions, RedisServer } from './redis-server.ts';

/** A node of a cluster. It keeps its id and role through `kill` and `restart`. */
export interface ClusterNode extends RedisServer {
	readonly id: string;
}

export async function startClusterNode(options: RedisOptions): Promise<ClusterNode> {
	const server = await startRedis({ ...options, cluster: true });
	return Object.assign(server, { id: String(await server.command('CLUSTER', 'MYID')) });
}

export async function viewOf(node: RedisServer): Promise<ClusterView> {
	return parseView(String(await node.command('CLUSTER', 'NODES')));
}

export function running<Node extends RedisServer>(nodes: readonly Node[]): Node[] {
	return nodes.filter(({ state }) => state === 'running');
}

/** Resolves with the views of all nodes that are running and answer. */
export function viewsOf(nodes: readonly RedisServer[]): Promise<ClusterView[]> {
	return fulfilled(running(nodes).map(viewOf));
}
