import type { WebSocketProvider } from '@orijs/websocket';
import { ApplicationError } from '../errors.ts';

/**
 * Maps each provider to what uses it: an application, or the server whose endpoints stand alone. These can't share a
 * provider, because it has one server and one life cycle.
 */
const owners = new WeakMap<WebSocketProvider, object>();

/**
 * Makes an application or a server the owner of the provider. Does nothing if it is already.
 *
 * @param kind what the owner is, for the error
 * @throws {ApplicationError} it has another owner
 */
export function claimProvider(provider: WebSocketProvider, owner: object, kind: 'application' | 'server'): void {
	if ((owners.get(provider) ?? owner) !== owner) {
		const other = kind === 'application' ? 'application' : 'application or server';
		throw new ApplicationError(`the provider is in use by another ${other}; give each ${kind} its own`);
	}
	owners.set(provider, owner);
}

/** Makes the provider available to other owners. Does nothing unless `owner` has claimed it. */
export function releaseProvider(provider: WebSocketProvider, owner: object): void {
	if (owners.get(provider) === owner) owners.delete(provider);
}

export function ownerOf(provider: WebSocketProvider): object | undefined {
	return owners.get(provider);
}
