/** Returns a channel's name on Redis. */
export function redisChannel(keyPrefix: string, channel: string): string {
	return `${keyPrefix}:${channel}`;
}
