/** Returns whether a key is one of those with which Redis collects heartbeats. */
export function isBeatKey(key: string): boolean {
	return /^\{\w+:!\d*\}:(beats|seen|nodes)$/.test(key);
}
