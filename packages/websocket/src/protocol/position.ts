/**
 * A position in a topic with history: all messages up to and including the one at `offset` have been read. Positions
 * can be kept and used later, for example after a reconnect.
 */
export interface Position {
	/**
	 * Identifies an unbroken sequence of messages. A different epoch means that the topic's history was lost or expired,
	 * and that a new sequence was started. Before the first message, the epoch is provisional and contains a dot; the
	 * sequence that starts with that message continues it.
	 */
	readonly epoch: string;
	/**
	 * The offset of the last message read; 0 before the first one. Offsets grow by random steps, so that two messages
	 * don't share an offset, even if the backend loses data and continues from an earlier state.
	 */
	readonly offset: number;
}

/** The position of a message in its topic's history. */
export interface MessagePosition extends Position {
	/**
	 * The offset of the preceding message; 0 for the first one. A reader that has not seen that message has missed it.
	 */
	readonly prev: number;
}

export function isPosition(value: unknown): value is Position {
	const { epoch, offset } = (value ?? {}) as Partial<Position>;
	return typeof epoch === 'string' && EPOCH.test(epoch) && Number.isSafeInteger(offset) && (offset as number) >= 0;
}

const EPOCH = /^[\w.-]{1,64}$/;
