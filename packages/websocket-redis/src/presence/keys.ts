import { presenceChannel } from '@orijs/websocket/internal';

/** The channel, without its prefix, in whose slot the leases are. No topic, and no node, has such a channel. */
export const LEASES_CHANNEL = '!presence';

/** The keys of a topic's members. On a cluster, they are in the slot of the topic's presence channel. */
export function topicKeys(keyPrefix: string, topic: string): readonly [members: string, order: string] {
	const tag = `{${keyPrefix}:${presenceChannel(topic)}}`;
	return [`${tag}:members`, `${tag}:order`];
}

/** The keys of all leases, and that of the topics in which a node may have records. All are in one slot. */
export function leaseKeys(keyPrefix: string, nodeId: string): readonly [order: string, leases: string, topics: string] {
	const tag = `{${keyPrefix}:${LEASES_CHANNEL}}`;
	return [`${tag}:order`, `${tag}:leases`, `${tag}:topics:${nodeId}`];
}

/** The key that shows whether the server of a shard has lost its data. It is in the slot of the heartbeat channel. */
export function markerKey(keyPrefix: string, heartbeatChannel: string): string {
	return `{${keyPrefix}:${heartbeatChannel}}:presence`;
}

/** The keys with which a server is tried, and a channel, without its prefix. All are in the slot of the shard. */
export function probeOf(
	keyPrefix: string,
	channelPrefix: string,
	heartbeatChannel: string,
): { readonly keys: readonly [members: string, order: string]; readonly channel: string } {
	const tag = `{${keyPrefix}:${heartbeatChannel}}:presence:probe`;
	return {
		keys: [`${tag}:members`, `${tag}:order`],
		channel: presenceChannel(`{${channelPrefix}${heartbeatChannel}}`),
	};
}
