import { isTopic } from '@orijs/websocket';
import { DEFAULT_PAGE, isPosition, MAX_PAGE, type Position } from '@orijs/websocket/protocol';

/** The error message sent to clients whose data is invalid. */
export const HISTORY_RULE: string =
	`data must be { topic, limit } with a limit of 1 to ${MAX_PAGE}; a topic is 1 to 256 characters from ` +
	'A-Z a-z 0-9 _ : . -; to read from a position, add one of since, before or upTo: { epoch, offset }';

/** A valid `@history`. */
export interface PageRequest {
	readonly topic: string;
	readonly since: Position | undefined;
	readonly before: Position | undefined;
	readonly upTo: Position | undefined;
	readonly limit: number;
}

/** Returns the requested page; undefined if the data is invalid. Keeps nothing else of the client's message. */
export function readHistoryRequest(data: unknown): PageRequest | undefined {
	if (typeof data !== 'object' || data === null) return undefined;
	const { topic, since, before, upTo, limit = DEFAULT_PAGE } = data as Record<string, unknown>;
	if (!isTopic(topic) || !isLimit(limit)) return undefined;
	const given = [since, before, upTo].filter((position) => position !== undefined);
	if (given.length > 1 || !given.every(isPosition)) return undefined;
	return { topic, since: positionOf(since), before: positionOf(before), upTo: positionOf(upTo), limit };
}

function isLimit(value: unknown): value is number {
	return Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= MAX_PAGE;
}

function positionOf(value: unknown): Position | undefined {
	if (value === undefined) return undefined;
	const { epoch, offset } = value as Position;
	return { epoch, offset };
}
