import { BuiltIn, encodeFrame, restoreValues } from '@orijs/websocket/protocol';

/** A client's reply to a request: its data or its error. */
export interface ClientReply {
	readonly data?: unknown;
	readonly error?: unknown;
}

/** A client's reply that reached a different node from the one that sent the request. */
export interface ForwardedReply extends ClientReply {
	readonly socketId: string;
	readonly correlationId: string;
}

/** Distinguishes forwarded replies from other messages between nodes. */
const PREFIX = 'reply ';

/** Matches correlation ids, which consist of the requesting node's id and the number of the request. */
const CORRELATION_ID = /^([0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})\.\d{1,15}$/;

/** Returns the id of the node that sent the request; undefined if no node can have sent it. */
export function requestingNode(correlationId: string): string | undefined {
	return CORRELATION_ID.exec(correlationId)?.[1];
}

export function encodeForwardedReply(reply: ForwardedReply): string {
	return PREFIX + encodeFrame(BuiltIn.reply, { ...reply });
}

/** Decodes a forwarded reply. Returns undefined for any other message between nodes. */
export function readForwardedReply(text: string): ForwardedReply | undefined {
	if (!text.startsWith(PREFIX)) return undefined;
	const reply = JSON.parse(text.slice(PREFIX.length)) as ForwardedReply;
	restoreValues(reply);
	return reply;
}
