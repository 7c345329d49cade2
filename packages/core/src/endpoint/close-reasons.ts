import type { Refusal } from '../refusals.ts';

/** The close code of a connection that ended without a close frame from the client. */
const ABNORMAL = 1006;

/**
 * Returns why Bun itself ended a connection, based on the code and reason it passes to the close handler; undefined if
 * Bun did not end it. A client can't forge this: 1006 is never sent in a close frame.
 */
export function bunRefusal(code: number, reason: string): Refusal | undefined {
	if (code !== ABNORMAL) return undefined;
	if (reason === 'WebSocket timed out from inactivity') return 'idle';
	if (reason === 'Received too big message') return 'messageSize';
	return reason.startsWith('Received ') ? 'frame' : undefined;
}
