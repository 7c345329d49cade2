import type { PubSubServer } from './pub-sub-server.ts';

/** How many providers each server has. */
const providers = new WeakMap<PubSubServer, number>();

/**
 * Returns the prefix for the names of a further provider's topics in a server of Bun, whose names are shared by all its
 * sockets. That of the first provider is empty, so that its plain sockets also receive what an application publishes in
 * Bun itself. No topic can begin with that of any other.
 */
export function claimPrefix(server: PubSubServer): string {
	const count = providers.get(server) ?? 0;
	providers.set(server, count + 1);
	return count === 0 ? '' : `#${count}/`;
}
