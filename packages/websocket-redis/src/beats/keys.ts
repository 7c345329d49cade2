/**
 * Returns the keys that the scripts take. On a cluster, they are in the slot of the heartbeat channel. They belong to a
 * database, so its number is not part of their names.
 */
export function beatKeys(keyPrefix: string, heartbeatChannel: string): readonly string[] {
	const tag = `{${keyPrefix}:${heartbeatChannel}}`;
	return [`${tag}:beats`, `${tag}:seen`, `${tag}:nodes`];
}

/** Like `beatKeys`, for keys with which the scripts are tried. */
export function probeKeys(keyPrefix: string, heartbeatChannel: string): readonly string[] {
	const tag = `{${keyPrefix}:${heartbeatChannel}}`;
	return [`${tag}:probe:beats`, `${tag}:probe:seen`, `${tag}:probe:nodes`];
}

/**
 * Returns the channel of a node's own beats, without its prefix. It is in the slot of the heartbeat channel; the brace
 * tells it from all other channels of nodes.
 *
 * @param channelPrefix `orijs:` or, in database 3, `orijs:#3:`
 */
export function ownChannelOf(channelPrefix: string, heartbeatChannel: string, origin: number | 'probe'): string {
	const name = typeof origin === 'number' ? origin.toString(36) : `:${origin}`;
	return `!{${channelPrefix}${heartbeatChannel}}${name}`;
}
