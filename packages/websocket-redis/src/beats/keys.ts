/** Names the keys and channels of collected beats. A channel prefix is `orijs:` or, in database 3, `orijs:#3:`. */

/** Returns the keys that the scripts take. On a cluster, they are in the slot of the heartbeat channel. */
export function beatKeys(channelPrefix: string, heartbeatChannel: string): readonly string[] {
	const tag = tagOf(channelPrefix, heartbeatChannel);
	return [`${tag}:beats`, `${tag}:seen`, `${tag}:nodes`];
}

/** Like `beatKeys`, for keys with which the scripts are tried. */
export function probeKeys(channelPrefix: string, heartbeatChannel: string): readonly string[] {
	const tag = tagOf(channelPrefix, heartbeatChannel);
	return [`${tag}:probe:beats`, `${tag}:probe:seen`, `${tag}:probe:nodes`];
}

/**
 * Returns the channel of a node's own beats, without the prefix. It is in the slot of the heartbeat channel; the brace
 * tells it from all other channels of nodes.
 */
export function ownChannelOf(channelPrefix: string, heartbeatChannel: string, origin: number | 'probe'): string {
	const name = typeof origin === 'number' ? origin.toString(36) : `:${origin}`;
	return `!${tagOf(channelPrefix, heartbeatChannel)}${name}`;
}

function tagOf(channelPrefix: string, heartbeatChannel: string): string {
	return `{${channelPrefix}${heartbeatChannel}}`;
}
