import type { SocketMessage } from '@orijs/websocket/protocol';
import type { MessageMiddleware } from './middleware.ts';

/** A message with its handler and all that runs before it. */
export interface Route {
	readonly message: SocketMessage;
	readonly handler: (ctx: never) => unknown;
	readonly guards: readonly ((ctx: never) => unknown)[];
	/** Runs around all this, the first one outermost; undefined if its router has no middleware. */
	readonly middleware: readonly MessageMiddleware<never>[] | undefined;
}
