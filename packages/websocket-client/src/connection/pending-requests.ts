import { SocketRequestError } from '@orijs/websocket/protocol';
import type { AnswerFrame } from './read-frame.ts';

interface PendingRequest {
	readonly name: string;
	/** How many messages had been sent before the request. */
	readonly sentBefore: number;
	resolve(data: unknown): void;
	reject(error: SocketRequestError): void;
}

/** The requests on one connection that the server has not answered yet, by correlation id. */
export class PendingRequests {
	readonly #requests = new Map<string, PendingRequest>();

	add(correlationId: string, request: PendingRequest): void {
		this.#requests.set(correlationId, request);
	}

	/** Forgets a request whose answer is no longer awaited. */
	delete(correlationId: string): void {
		this.#requests.delete(correlationId);
	}

	/** Settles a request. Returns how many messages were sent before it, which the server has therefore received. */
	answer({ correlationId, data, error }: AnswerFrame): number {
		const request = this.#requests.get(correlationId);
		// The answer is too late: the request was abandoned.
		if (request === undefined) return 0;
		this.#requests.delete(correlationId);
		if (error === undefined) request.resolve(data);
		else request.reject(new SocketRequestError(request.name, error.code, error.message));
		return request.sentBefore;
	}

	rejectAll(errorFor: (name: string) => SocketRequestError): void {
		for (const { name, reject } of this.#requests.values()) reject(errorFor(name));
		this.#requests.clear();
	}
}

export function disconnected(name: string): SocketRequestError {
	return new SocketRequestError(name, 'disconnected', 'the connection ended; the request may have been handled');
}

export function notHandled(name: string): SocketRequestError {
	return new SocketRequestError(name, 'stopping', 'the server stopped before handling the request');
}
