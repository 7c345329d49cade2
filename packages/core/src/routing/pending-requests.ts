import { MessageDroppedError, UnknownSocketError } from '@orijs/websocket';
import { SocketRequestError } from '@orijs/websocket/protocol';
import type { ClientReply, RequestDropped } from './node-messages.ts';

/** Why requests are not sent, or no longer awaited. */
export const HAS_STOPPED = 'the application has stopped';

interface Pending {
	readonly socketId: string;
	readonly messageName: string;
	readonly timer: ReturnType<typeof setTimeout>;
	readonly resolve: (reply: ClientReply) => void;
	readonly reject: (error: Error) => void;
}

/** The requests to clients that have not been answered yet. */
export class PendingRequests {
	readonly #pending = new Map<string, Pending>();
	/** The correlation ids of pending requests, by socket id. */
	readonly #ofSocket = new Map<string, Set<string>>();

	/** Returns the correlation ids of the pending requests to a socket. */
	ofSocket(socketId: string): Set<string> {
		return this.#ofSocket.get(socketId) ?? new Set();
	}

	/**
	 * Adds a request.
	 *
	 * @param ofSocket the result of {@link ofSocket} for this socket
	 * @returns the client's reply; rejects with `timeout` after `timeoutMs`
	 */
	add(
		correlationId: string,
		messageName: string,
		socketId: string,
		ofSocket: Set<string>,
		timeoutMs: number,
	): Promise<ClientReply> {
		const { promise, resolve, reject } = Promise.withResolvers<ClientReply>();
		const timer = setTimeout(() => {
			this.fail(
				correlationId,
				new SocketRequestError(messageName, 'timeout', `the client did not reply within ${timeoutMs} ms`),
			);
		}, timeoutMs);
		this.#ofSocket.set(socketId, ofSocket.add(correlationId));
		this.#pending.set(correlationId, { socketId, messageName, timer, resolve, reject });
		return promise;
	}

	/**
	 * Settles the request that a reply answers. A reply from any socket but the one that the request was sent to is
	 * ignored. Returns whether a request was settled.
	 */
	settle(socketId: string, correlationId: string, { data, error }: ClientReply): boolean {
		if (this.#pending.get(correlationId)?.socketId !== socketId) return false;
		this.#take(correlationId)?.resolve({ data, error });
		return true;
	}

	/** Rejects a request that was not sent because its client reads too slowly. */
	dropped({ socketId, correlationId }: RequestDropped): void {
		this.fail(correlationId, new MessageDroppedError(socketId));
	}

	/** Rejects a request, if it is still pending. */
	fail(correlationId: string, error: Error): void {
		this.#take(correlationId)?.reject(error);
	}

	/** Rejects the requests to a socket that has closed. */
	disconnect(socketId: string): void {
		for (const correlationId of this.#ofSocket.get(socketId) ?? []) {
			const pending = this.#take(correlationId);
			if (pending === undefined) continue;
			const { messageName } = pending;
			const cause = new UnknownSocketError(socketId);
			pending.reject(new SocketRequestError(messageName, 'disconnected', 'the client has disconnected', { cause }));
		}
	}

	/** Rejects all requests. */
	close(): void {
		for (const [correlationId, { messageName }] of this.#pending) {
			this.fail(correlationId, new SocketRequestError(messageName, 'disconnected', HAS_STOPPED));
		}
	}

	#take(correlationId: string): Pending | undefined {
		const pending = this.#pending.get(correlationId);
		if (pending === undefined) return undefined;
		this.#pending.delete(correlationId);
		clearTimeout(pending.timer);
		const ofSocket = this.#ofSocket.get(pending.socketId);
		ofSocket?.delete(correlationId);
		if (ofSocket?.size === 0) this.#ofSocket.delete(pending.socketId);
		return pending;
	}
}
