import type { Cluster, Target, WebSocketProvider } from '@orijs/websocket';
import type { Ban } from './admin-messages.ts';
import type { Bans } from './bans.ts';
import { type Outcome, topicsOf } from './messages.ts';

/** Takes people out of a room, whichever nodes they are connected to. Their pages say who did it. */
export async function removeFrom(cluster: Cluster, target: Target, room: string, by: string): Promise<Outcome> {
	const why = { code: 'removed', message: `${by} has removed you from this room` };
	const results = await Promise.all(topicsOf(room).map((topic) => cluster.unsubscribe(target, topic, why)));
	return {
		nodes: Math.max(...results.map(({ nodes }) => nodes)),
		answered: Math.min(...results.map(({ answered }) => answered)),
		sockets: Math.max(...results.map(({ sockets }) => sockets)),
		unanswered: [...new Set(results.flatMap(({ unanswered }) => unanswered))],
	};
}

/** Ends all connections of a user for good, and keeps them out. Their page says why. */
export async function ban(cluster: Cluster, bans: Bans, user: Omit<Ban, 'at'>): Promise<Outcome> {
	// The list comes first: it refuses new connections. Those that exist already are ended after that.
	await bans.add({ ...user, at: Date.now() });
	const result = await cluster.disconnect({ userId: user.userId }, banned(user));
	return { ...result, unanswered: [...result.unanswered] };
}

/** Disconnects banned visitors of this node, after messages from other nodes may have been lost. */
export async function disconnectBanned(provider: WebSocketProvider, bans: Bans): Promise<void> {
	const byUser = new Map((await bans.all()).map((ban) => [ban.userId, ban]));
	for (const { data } of provider.getConnections()) {
		const ban = data.userId === undefined ? undefined : byUser.get(data.userId);
		if (ban !== undefined) await provider.cluster.disconnect({ socketId: data.socketId }, banned(ban));
	}
}

function banned({ why }: Pick<Ban, 'why'>): { code: string; message: string; reconnect: false } {
	return { code: 'banned', message: why, reconnect: false };
}
