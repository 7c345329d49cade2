import { type Cluster, SocketMessage } from '@orijs/websocket';
import { z } from 'zod';
import { MAX_CONNECTIONS, type Overview } from './admin-messages.ts';
import type { Bans } from './bans.ts';

/** How long the overview waits for nodes that don't answer, in milliseconds. */
const TIMEOUT_MS = 1_000;

/** From node to node: asks for the name of the node, and those of visitors by the ids of their connections. */
export const Names = SocketMessage.define({
	name: 'node.names',
	data: z.object({ ids: z.array(z.string()).max(MAX_CONNECTIONS) }),
	reply: z.object({ node: z.string(), names: z.record(z.string(), z.string()) }),
});

/** Asks all nodes who is connected to them. What those that don't answer would have said is left out. */
export async function overview(cluster: Cluster, bans: Bans): Promise<Overview> {
	const options = { limit: MAX_CONNECTIONS, timeoutMs: TIMEOUT_MS };
	const { connections, hasMore, ...found } = await cluster.connections('all', options);
	const ids = connections.map(({ socketId }) => socketId);
	const { answers } = await cluster.request(Names, { ids }, { to: 'all', timeoutMs: TIMEOUT_MS });
	const names = Object.assign({}, ...[...answers.values()].map(({ names }) => names)) as Record<string, string>;
	return {
		found: { ...found, unanswered: [...found.unanswered] },
		nodes: cluster.nodes().map((node) => ({ ...node, name: answers.get(node.id)?.node })),
		connections: connections.map((connection) => ({
			...connection,
			name: names[connection.socketId],
			topics: [...connection.topics],
		})),
		hasMore,
		bans: await bans.all().catch(() => undefined),
	};
}
