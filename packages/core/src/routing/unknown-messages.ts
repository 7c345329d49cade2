import type { SocketMessage } from '@orijs/websocket/protocol';
import { ApplicationError } from '../errors.ts';
import type { WebSocketHandlers, WebSocketOptions } from '../websocket-options.ts';
import type { Route } from './route.ts';

/** Accepts any data. */
const ANYTHING: SocketMessage['data'] = {
	'~standard': { version: 1, vendor: 'orijs', validate: (value) => ({ value }) },
};

/** The definition of all messages that have none: neither their data nor their answers are validated. */
const UNKNOWN: SocketMessage = { name: 'unknown', data: ANYTHING, reply: ANYTHING };

/** Returns the route of messages that no router has a handler for. */
export function unknownRoute(handler: (ctx: never) => unknown): Pick<Route, 'message' | 'handler'> {
	return { message: UNKNOWN, handler };
}

/**
 * Returns whether messages that no router has a handler for go to `onWebSocket`'s `message`.
 *
 * @throws {ApplicationError} they should, but there is no such handler, or `onUnknown` handles them
 */
export function goesToMessageHandler(
	{ unknownMessages }: Pick<WebSocketOptions, 'unknownMessages'>,
	{ message }: WebSocketHandlers,
	unknown: Route | undefined,
): boolean {
	if (unknownMessages !== 'raw') return false;
	if (message === undefined) {
		throw new ApplicationError(
			"unknownMessages is 'raw', but there is no message handler to pass them to: set one with " +
				'onWebSocket({ message })',
		);
	}
	if (unknown === undefined) return true;
	throw new ApplicationError(
		"unknownMessages is 'raw', but a router handles unknown messages with onUnknown(); choose one",
	);
}
