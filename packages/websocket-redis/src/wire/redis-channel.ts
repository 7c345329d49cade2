/**
 * Returns the prefix of the names of a provider's channels on Redis. Redis publishes to all databases of a server, so
 * the names contain the number of the database, unless it is 0. No prefix contains a `:`, and no channel begins with a
 * `#`: prefix, database and channel can always be separated.
 */
export function channelPrefix(keyPrefix: string, db: number): string {
	return db === 0 ? `${keyPrefix}:` : `${keyPrefix}:#${db}:`;
}
