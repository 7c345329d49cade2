import { InvalidSocketIdError, InvalidUserIdError } from '../errors.ts';
import { InvalidTopicError, isTopic } from '../protocol/topic.ts';
import type { Registry } from '../sockets/registry.ts';
import { isUserId } from '../sockets/user-id.ts';
import type { WebSocketConnection } from '../sockets/websocket-connection.ts';
import { isSocketId } from '../wire/channel-names.ts';
import type { Target } from './cluster-contract.ts';
import { InvalidTargetError } from './errors.ts';

/** Which sockets of a node an action is about. */
export interface Selection {
	readonly target: Target;
	readonly except: readonly string[];
}

/** Returns what is wrong with a target; undefined if it is valid. */
export function targetFault(target: unknown): Error | undefined {
	if (target === 'all') return undefined;
	if (typeof target !== 'object' || target === null) return new InvalidTargetError(target);
	const [key, ...others] = Object.keys(target);
	if (others.length > 0) return new InvalidTargetError(target);
	const { socketId, userId, topic } = target as Partial<Record<string, unknown>>;
	if (key === 'socketId') return isSocketId(socketId) ? undefined : new InvalidSocketIdError(socketId);
	if (key === 'userId') return isUserId(userId) ? undefined : new InvalidUserIdError(userId);
	if (key === 'topic') return isTopic(topic) ? undefined : new InvalidTopicError(topic);
	return new InvalidTargetError(target);
}

/** Returns the sockets of this node that are selected. */
export function socketsOf(
	registry: Registry<WebSocketConnection>,
	{ target, except }: Selection,
): readonly WebSocketConnection[] {
	const sockets = allOf(registry, target);
	if (except.length === 0) return sockets;
	const left = new Set(except);
	return sockets.filter(({ data }) => !left.has(data.socketId));
}

function allOf(registry: Registry<WebSocketConnection>, target: Selection['target']): readonly WebSocketConnection[] {
	if (target === 'all') return Array.from(registry.sockets());
	if (target.userId !== undefined) return Array.from(registry.ofUser(target.userId));
	if (target.topic !== undefined) return Array.from(registry.members(target.topic));
	const socket = registry.get(target.socketId);
	return socket === undefined ? NONE : [socket];
}

const NONE: readonly never[] = [];
