/**
 * How far a topic with history has been read: up to and including the message at this offset; 0 is before the first
 * one. Positions can be kept and used later, as after a reconnect.
 */
export interface Position {
	/**
	 * Names one unbroken sequence of messages. Another epoch means that the topic's history was lost or expired, and a
	 * new one began.
	 */
	readonly epoch: string;
	/** Grows from message to message in random steps, so that two messages never share one, even after a backend has
	 * gone back in time. */
	readonly offset: number;
}

/** The position of a message in its topic's history. */
export interface MessagePosition extends Position {
	/**
	 * The offset of the message before it; 0 for the first one. A reader that has not seen that one missed something.
	 */
	readonly prev: number;
}

export function isPosition(value: unknown): value is Position {
	const { epoch, offset } = (typeof value === 'object' && value !== null ? value : {}) as Partial<Position>;
	return typeof epoch === 'string' && EPOCH.test(epoch) && Number.isSafeInteger(offset) && (offset as number) >= 0;
}

const EPOCH = /^[A-Za-z0-9_-]{1,64}$/;
