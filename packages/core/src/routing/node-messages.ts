import { BuiltIn, encodeFrame, restoreValues } from '@orijs/websocket/protocol';

/** A client's reply to a request: its data or its error. */
export interface ClientReply {
	readonly data?: unknown;
	readonly error?: unknown;
}

/** A request to a client of another node. */
export interface ForwardedRequest {
	readonly kind: 'request';
	readonly socketId: string;
	readonly correlationId: string;
	/** The request as it is sent to the client. */
	readonly envelope: string;
}

/** A client's reply that reached a different node from the one that sent the request. */
export interface ForwardedReply extends ClientReply {
	readonly kind: 'reply';
	readonly socketId: string;
	readonly correlationId: string;
}

/** Says that a socket has left, and will answer no request any more. */
export interface SocketLeft {
	readonly kind: 'left';
	readonly socketId: string;
}

/** Says that a request was not sent to its client, which reads too slowly. */
export interface RequestDropped {
	readonly kind: 'dropped';
	readonly socketId: string;
	readonly correlationId: string;
}

/** What nodes tell each other about requests to clients. */
export type NodeMessage = ForwardedRequest | ForwardedReply | SocketLeft | RequestDropped;

/** Matches correlation ids, which consist of the requesting node's id and the number of the request. */
const CORRELATION_ID = /^([0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})\.\d{1,15}$/;

/** Returns the id of the node that sent the request; undefined if no node can have sent it. */
export function requestingNode(correlationId: string): string | undefined {
	return CORRELATION_ID.exec(correlationId)?.[1];
}

/** Encodes a message as `@kind socketId correlationId rest`. The rest is JSON. */
export function encodeNodeMessage(message: NodeMessage): string {
	const start = `@${message.kind} ${message.socketId}`;
	switch (message.kind) {
		case 'request':
			return `${start} ${message.correlationId} ${message.envelope}`;
		case 'reply': {
			const { correlationId, data, error } = message;
			return `${start} ${correlationId} ${encodeFrame(BuiltIn.reply, { data, error })}`;
		}
		case 'left':
			return start;
		case 'dropped':
			return `${start} ${message.correlationId}`;
	}
}

const MESSAGE = /^@(request|reply|left|dropped) (\S+)(?: (\S+))?(?: (.+))?$/s;

/** Decodes a message. Returns undefined for any other text that nodes send each other. */
export function readNodeMessage(text: string): NodeMessage | undefined {
	const [, kind, socketId = '', correlationId = '', rest = ''] = MESSAGE.exec(text) ?? [];
	switch (kind) {
		case 'request':
			return { kind, socketId, correlationId, envelope: rest };
		case 'reply':
			return { kind, socketId, correlationId, ...readReply(rest) };
		case 'left':
			return { kind, socketId };
		case 'dropped':
			return { kind, socketId, correlationId };
		default:
			return undefined;
	}
}

function readReply(text: string): ClientReply {
	const reply = JSON.parse(text) as ClientReply;
	restoreValues(reply);
	return { data: reply.data, error: reply.error };
}
