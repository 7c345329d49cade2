import { MAX_EXCEPT } from '../errors.ts';
import { isErrorCode } from '../protocol/errors.ts';
import { isTopic } from '../protocol/topic.ts';
import { isSocketId } from '../wire/channel-names.ts';
import type { ConnectionInfo, Target } from './cluster-contract.ts';
import { type Selection, targetFault } from './target.ts';

export interface Disconnect extends Selection {
	readonly do: 'disconnect';
	readonly code: string;
	readonly message: string;
	readonly reconnect: boolean;
}

export interface Subscribe extends Selection {
	readonly do: 'subscribe';
	readonly topic: string;
	readonly past: boolean | undefined;
	/** How long to wait until the backend has confirmed the subscription, in milliseconds. */
	readonly timeoutMs: number;
}

export interface Unsubscribe extends Selection {
	readonly do: 'unsubscribe';
	readonly topic: string;
	/** Default: as in `provider.unsubscribe`. */
	readonly code: string | undefined;
	readonly message: string | undefined;
}

export interface Reauthorize extends Selection {
	readonly do: 'reauthorize';
	readonly topic: string | undefined;
}

export interface Connections extends Selection {
	readonly do: 'connections';
	readonly limit: number;
}

/** Asks for the number of a node's sockets, or of those in a topic. */
export interface Count {
	readonly do: 'count';
	readonly topic: string | undefined;
}

/** Sets and removes properties of a member's info in a topic. */
export interface UpdatePresence {
	readonly do: 'presence';
	readonly topic: string;
	readonly key: string;
	readonly set: Readonly<Record<string, unknown>>;
	readonly unset: readonly string[];
}

/** The longest time limit of an action, in milliseconds. */
export const MAX_TIMEOUT_MS = 60_000;
/** The maximum number of connections that one call returns. */
export const MAX_CONNECTIONS = 10_000;

/** An action that changes the sockets themselves. */
export type Change = Disconnect | Subscribe | Unsubscribe;

/** What each node is asked to do. */
export type Action = Change | Reauthorize | Connections | Count | UpdatePresence;

/** What a node has done. */
export interface ActionAnswer {
	readonly sockets: number;
	readonly asked?: number;
	readonly left?: number;
	readonly connections?: readonly ConnectionInfo[];
}

/** Checks what another node asks for. Returns undefined if it is invalid. */
export function readAction(content: Readonly<Record<string, unknown>>): Action | undefined {
	const { do: what, target, except, topic, code, message, reconnect, past, timeoutMs, limit } = content;
	if (what === 'count') return isOptional(topic, isTopic) ? { do: what, topic } : undefined;
	if (what === 'presence') return readUpdate(content);
	if (targetFault(target) !== undefined || !isExcept(except)) return undefined;
	const selection = { target: target as Target, except };
	if (what === 'disconnect') {
		if (!isErrorCode(code) || typeof message !== 'string' || typeof reconnect !== 'boolean') return undefined;
		return { ...selection, do: what, code, message, reconnect };
	}
	if (what === 'subscribe') {
		if (!isTopic(topic) || !isOptional(past, isBoolean) || !Number.isFinite(timeoutMs)) return undefined;
		return { ...selection, do: what, topic, past, timeoutMs: Math.min(timeoutMs as number, MAX_TIMEOUT_MS) };
	}
	if (what === 'unsubscribe') {
		if (!isTopic(topic) || !isOptional(code, isErrorCode) || !isOptional(message, isString)) return undefined;
		return { ...selection, do: what, topic, code, message };
	}
	if (what === 'reauthorize') return isOptional(topic, isTopic) ? { ...selection, do: what, topic } : undefined;
	if (what !== 'connections' || wholeNumber(limit) > MAX_CONNECTIONS) return undefined;
	return { ...selection, do: what, limit: wholeNumber(limit) };
}

function readUpdate({ topic, key, set, unset }: Readonly<Record<string, unknown>>): UpdatePresence | undefined {
	if (!isTopic(topic) || typeof key !== 'string') return undefined;
	if (typeof set !== 'object' || set === null || Array.isArray(set)) return undefined;
	if (!Array.isArray(unset) || !unset.every(isString)) return undefined;
	return { do: 'presence', topic, key, set: set as UpdatePresence['set'], unset };
}

/** Reads the answer of another node. What is missing or invalid counts as nothing. */
export function readAnswer(content: Readonly<Record<string, unknown>>): ActionAnswer {
	const { sockets, asked, left, connections } = content;
	return {
		sockets: wholeNumber(sockets),
		asked: wholeNumber(asked),
		left: wholeNumber(left),
		connections: Array.isArray(connections) ? connections.slice(0, MAX_CONNECTIONS).filter(isConnectionInfo) : [],
	};
}

function isExcept(value: unknown): value is readonly string[] {
	return Array.isArray(value) && value.length <= MAX_EXCEPT && value.every(isSocketId);
}

function isConnectionInfo(value: unknown): value is ConnectionInfo {
	const info = (value ?? {}) as Partial<Record<keyof ConnectionInfo, unknown>>;
	return (
		isSocketId(info.socketId) &&
		isOptional(info.userId, isString) &&
		isSocketId(info.nodeId) &&
		typeof info.connectedAt === 'number' &&
		typeof info.address === 'string' &&
		Array.isArray(info.topics) &&
		info.topics.every(isTopic) &&
		typeof info.topicCount === 'number' &&
		typeof info.isSpeaker === 'boolean'
	);
}

function wholeNumber(value: unknown): number {
	return Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : 0;
}

function isOptional<T>(value: unknown, is: (value: unknown) => value is T): value is T | undefined {
	return value === undefined || is(value);
}

function isString(value: unknown): value is string {
	return typeof value === 'string';
}

function isBoolean(value: unknown): value is boolean {
	return typeof value === 'boolean';
}
