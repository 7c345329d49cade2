import type { Payload } from '@orijs/websocket';
import { isPayload, snapshot, toError } from '@orijs/websocket/internal';
import { isDefinition, type SocketMessage, validateToSend } from '@orijs/websocket/protocol';
import type { ClientRequests } from './client-requests.ts';
import { encodeMessage } from './encode-message.ts';

/** Returns whether a call has a message and data instead of a payload. Data without a message is a mistake. */
export function isTypedCall(what: Payload | SocketMessage, data: unknown): what is SocketMessage {
	return data !== undefined || (typeof what !== 'string' && isDefinition(what));
}

/**
 * Sends a payload after the messages that are still being validated.
 *
 * @param key a socket's id, or a name for all sockets; messages with one key keep their order
 */
export function sendInOrder(
	{ order, calls }: ClientRequests,
	key: string,
	payload: Payload,
	send: (payload: Payload) => Promise<void>,
): Promise<void> {
	if (!isPayload(payload)) return send(payload);
	return calls.watch(Promise.resolve(order.run(key, snapshot(payload), send)));
}

/**
 * Validates and sends a typed message, after the messages that are still being validated.
 *
 * @param key as above
 */
export function sendTyped(
	{ order, calls }: ClientRequests,
	key: string,
	message: SocketMessage,
	data: unknown,
	send: (envelope: string) => Promise<void>,
): Promise<void> {
	try {
		const valid: unknown = validateToSend(message, data as never);
		const sendValid = (value: unknown): Promise<void> => send(encodeMessage(message, value));
		if (!(valid instanceof Promise) && !order.isWaiting(key)) return sendValid(valid);
		return calls.watch(Promise.resolve(order.run(key, valid, sendValid)));
	} catch (thrown) {
		return calls.refuse(toError(thrown));
	}
}
