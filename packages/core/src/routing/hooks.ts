import type { ChangedBy } from '@orijs/websocket';
import type { ConnectionContext } from './connection-context.ts';

/** How a connection has ended. */
export interface ClosedConnection {
	/** The close code, such as 1000, or 1006 if the connection was lost. */
	readonly code: number;
	readonly reason: string;
	/** The topics that the connection was in. */
	readonly topics: ReadonlySet<string>;
}

/** Why a connection is no longer in a topic. */
export interface LeftTopic {
	/** Who has unsubscribed it; `closed` if it has ended. */
	readonly by: ChangedBy | 'closed';
	readonly code: string;
	readonly message: string;
}

/** What a hook returns: a promise is awaited before the next hook of the connection runs, anything else is ignored. */
type HookResult = any;

export type OpenHook<TState extends object> = (ctx: ConnectionContext<TState>) => HookResult;
export type CloseHook<TState extends object> = (ctx: ConnectionContext<TState>, closed: ClosedConnection) => HookResult;
export type SubscribeHook<TState extends object> = (ctx: ConnectionContext<TState>, topic: string) => HookResult;
export type UnsubscribeHook<TState extends object> = (
	ctx: ConnectionContext<TState>,
	topic: string,
	why: LeftTopic,
) => HookResult;

/** The hooks of routers, by event. */
export interface Hooks {
	readonly onOpen: readonly OpenHook<object>[];
	readonly onClose: readonly CloseHook<object>[];
	readonly onSubscribe: readonly SubscribeHook<object>[];
	readonly onUnsubscribe: readonly UnsubscribeHook<object>[];
}
