// Headers are kept for as long as their connection may renew its credentials, and most connections are idle: as text,
// they take a fraction of the memory.

/** Returns headers as one string. */
export function packHeaders(headers: Headers): string {
	return JSON.stringify([...headers]);
}

/** Returns what {@link packHeaders} has packed. */
export function unpackHeaders(packed: string): Headers {
	return new Headers(JSON.parse(packed) as [string, string][]);
}
