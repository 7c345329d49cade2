/**
 * How far a topic with history was followed: up to and with the message at this offset; 0 is before the first one. Positions can be kept
 * and shown again later, as after a reconnect.
 */
export interface Position {
	/** Names one unbroken sequence of messages. Another epoch means that the topic's history was lost, or forgotten, and began anew. */
	readonly epoch: string;
	/** Grows from message to message, by more than one: two different messages never have the same, also after a backend went back in time. */
	readonly offset: number;
}

/** Where a message of a topic with history stands. */
export interface MessagePosition extends Position {
	/** The offset of the message before it; 0 for the first one. Who has not seen that has missed something. */
	readonly prev: number;
}

export function isPosition(value: unknown): value is Position {
	const { epoch, offset } = (typeof value === 'object' && value !== null ? value : {}) as Partial<Position>;
	return typeof epoch === 'string' && EPOCH.test(epoch) && Number.isSafeInteger(offset) && (offset as number) >= 0;
}

const EPOCH = /^[A-Za-z0-9_-]{1,64}$/;
