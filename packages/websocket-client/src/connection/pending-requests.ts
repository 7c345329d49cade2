import { SocketRequestError } from '@orijs/websocket/protocol';
import type { AnswerFrame } from './read-frame.ts';

export interface PendingRequest {
	readonly name: string;
	/** How many messages had been sent before the request. */
	readonly sentBefore: number;
	/** `Pace.sent`, the request included. */
	readonly paid: number;
	resolve(data: unknown): void;
	reject(error: SocketRequestError): void;
}

/** The requests on one connection that the server has not answered yet, by correlation id. */
export class PendingRequests {
	readonly all: Map<string, PendingRequest> = new Map();

	/**
	 * Settles a request and returns it; undefined if it had been abandoned. Since the server has answered it, it has
	 * received everything that was sent before.
	 */
	answer({ correlationId, data, error }: AnswerFrame): PendingRequest | undefined {
		const request = this.all.get(correlationId);
		if (request === undefined) return undefined;
		this.all.delete(correlationId);
		if (error === undefined) request.resolve(data);
		else request.reject(new SocketRequestError(request.name, error.code, error.message));
		return request;
	}

	rejectAll(errorFor: (name: string) => SocketRequestError): void {
		for (const { name, reject } of this.all.values()) reject(errorFor(name));
		this.all.clear();
	}
}

export function disconnected(name: string): SocketRequestError {
	return new SocketRequestError(name, 'disconnected', 'the connection ended; the request may have been handled');
}

export function notHandled(name: string): SocketRequestError {
	return new SocketRequestError(name, 'stopping', 'the server stopped before handling the request');
}
