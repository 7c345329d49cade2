import type { PublishOptions } from '@orijs/websocket';

/** `'self'`, or the id of a socket. */
type SelfOrId = 'self' | (string & {});

/** The options of `ctx.publish` and `ctx.emit`. */
export interface ContextPublishOptions extends Omit<PublishOptions, 'except'> {
	/**
	 * As for `SocketEmitter.publish`. `'self'`, also in an array, is the socket that sent the message. Refused on topics
	 * with history.
	 */
	readonly except?: SelfOrId | readonly SelfOrId[];
}

/** Replaces `'self'` by the socket's id. Everything else is left for the provider to check. */
export function withOwnId(options: ContextPublishOptions | undefined, socketId: string): PublishOptions | undefined {
	const except = options?.except;
	if (except === undefined) return options;
	if (except === 'self') return { ...options, except: socketId };
	if (!Array.isArray(except) || !except.includes('self')) return options;
	return { ...options, except: except.map((id: string) => (id === 'self' ? socketId : id)) };
}
