import type { WebSocketConnection } from './websocket-connection.ts';

/** Bun's own methods of a socket. */
export type NativeMethods = Pick<WebSocketConnection, 'subscribe' | 'unsubscribe' | 'isSubscribed' | 'send'>;

/**
 * Returns Bun's own methods, even if an application has overridden them on its sockets: the overrides call the
 * provider, so calling them from here would recurse endlessly, or put a frame into another one.
 */
export function nativeMethods(socket: WebSocketConnection): NativeMethods {
	let last: object = socket;
	for (let next: object | null = last; next !== null && next !== Object.prototype; next = Object.getPrototypeOf(next)) {
		last = next;
	}
	return last as WebSocketConnection;
}
