import { SocketRequestError } from '@orijs/websocket/protocol';
import type { AnswerFrame } from './read-frame.ts';

interface PendingRequest {
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
	readonly #requests = new Map<string, PendingRequest>();

	add(correlationId: string, request: PendingRequest): void {
		this.#requests.set(correlationId, request);
	}

	/** Forgets a request whose answer is no longer awaited. */
	delete(correlationId: string): void {
		this.#requests.delete(correlationId);
	}

	/**
	 * Settles a request and returns it; undefined if it had been abandoned. Since the server has answered it, it has
	 * received everything that was sent before.
	 */
	answer({ correlationId, data, error }: AnswerFrame): PendingRequest | undefined {
		const request = this.#requests.get(correlationId);
		if (request === undefined) return undefined;
		this.#requests.delete(correlationId);
		if (error === undefined) request.resolve(data);
		else request.reject(new SocketRequestError(request.name, error.code, error.message));
		return request;
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
