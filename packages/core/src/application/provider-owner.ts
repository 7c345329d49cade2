import type { WebSocketProvider } from '@orijs/websocket';
import { ApplicationError } from '../errors.ts';

/**
 * The application that uses each provider. Applications can't share one, because a provider has one server, one set of
 * sockets and one life cycle.
 */
const owners = new WeakMap<WebSocketProvider, object>();

/** Makes an application the owner of the provider. @throws {ApplicationError} another application uses it */
export function claimProvider(provider: WebSocketProvider, owner: object): void {
	if ((owners.get(provider) ?? owner) !== owner)
		throw new ApplicationError('the provider is in use by another application; give each application its own');
	owners.set(provider, owner);
}

/** Makes the provider available to other applications. Does nothing unless `owner` has claimed it. */
export function releaseProvider(provider: WebSocketProvider, owner: object): void {
	if (owners.get(provider) === owner) owners.delete(provider);
}

export function ownerOf(provider: WebSocketProvider): object | undefined {
	return owners.get(provider);
}
