import { SocketRequestError } from '@orijs/websocket/protocol';
import type { AnswerFrame } from './read-frame.ts';

/** A request that the server has not answered yet. */
export interface PendingRequest {
	readonly name: string;
	/** How many messages had been sent before the request. */
	readonly sentBefore: number;
	/** `Pace.sent`, the request included. */
	readonly paid: number;
	resolve(data: unknown): void;
	reject(error: SocketRequestError): void;
}

/** Settles a request by the server's answer. */
export function settle({ name, resolve, reject }: PendingRequest, { data, error }: AnswerFrame): void {
	if (error === undefined) resolve(data);
	else reject(new SocketRequestError(name, error.code, error.message));
}

export function disconnected(name: string): SocketRequestError {
	return new SocketRequestError(name, 'disconnected', 'the connection ended; the request may have been handled');
}

export function notHandled(name: string): SocketRequestError {
	return new SocketRequestError(name, 'stopping', 'the server stopped before handling the request');
}
