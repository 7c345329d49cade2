import type { WebSocketProvider } from '@orijs/websocket';
import { isSpeaker } from '@orijs/websocket/internal';
import {
	type ClientReply,
	encodeNodeMessage,
	type ForwardedRequest,
	type NodeMessage,
	requestingNode,
} from './node-messages.ts';

/** Why a request to a plain client is refused. */
export const IS_PLAIN = 'the client is a plain WebSocket: requests need clients that speak the protocol (orijs.1)';

/**
 * The requests of other nodes to clients of this node. Passes them on, and tells the requesting nodes when a client
 * leaves before it has replied.
 */
export class RemoteRequests {
	readonly #provider: WebSocketProvider;
	/**
	 * The maximum number of requests remembered per socket. If there are more, the oldest ones are forgotten: they can
	 * still be replied to, but time out if their client leaves. They may have timed out already, which this node is not
	 * told.
	 */
	limit = 0;
	/** The correlation ids of pending requests, oldest first, by socket id. */
	readonly #ofSocket = new Map<string, Set<string>>();

	constructor(provider: WebSocketProvider) {
		this.#provider = provider;
	}

	/** Sends a request to its client. If the client has left or reads too slowly, tells the requesting node. */
	receive({ socketId, correlationId, envelope }: ForwardedRequest): void {
		const nodeId = requestingNode(correlationId);
		if (nodeId === undefined) return;
		const socket = this.#provider.getConnection(socketId);
		if (socket === undefined) return this.#tell(nodeId, { kind: 'left', socketId });
		if (!isSpeaker(socket)) {
			const error = { code: 'unsupported', message: IS_PLAIN };
			return this.#tell(nodeId, { kind: 'reply', socketId, correlationId, error });
		}
		this.#add(socketId, correlationId);
		this.#provider.sendEnvelope(socketId, envelope).catch(() => {
			this.#forget(socketId, correlationId);
			this.#tell(nodeId, { kind: 'dropped', socketId, correlationId });
		});
	}

	/**
	 * Passes a reply on to the requesting node. If that fails, the request times out; the provider logs the cause.
	 * Returns whether the request was remembered as pending.
	 */
	reply(nodeId: string, socketId: string, correlationId: string, { data, error }: ClientReply): boolean {
		this.#tell(nodeId, { kind: 'reply', socketId, correlationId, data, error });
		return this.#forget(socketId, correlationId);
	}

	/** Called when a socket of this node has closed. */
	disconnect(socketId: string): void {
		const pending = this.#ofSocket.get(socketId);
		if (pending === undefined) return;
		this.#ofSocket.delete(socketId);
		for (const nodeId of new Set(Array.from(pending, requestingNode))) {
			if (nodeId !== undefined) this.#tell(nodeId, { kind: 'left', socketId });
		}
	}

	#add(socketId: string, correlationId: string): void {
		let pending = this.#ofSocket.get(socketId);
		if (pending === undefined) this.#ofSocket.set(socketId, (pending = new Set()));
		pending.add(correlationId);
		if (pending.size <= this.limit) return;
		for (const oldest of pending) {
			pending.delete(oldest);
			break;
		}
	}

	#forget(socketId: string, correlationId: string): boolean {
		const pending = this.#ofSocket.get(socketId);
		if (pending?.delete(correlationId) !== true) return false;
		if (pending.size === 0) this.#ofSocket.delete(socketId);
		return true;
	}

	#tell(nodeId: string, message: NodeMessage): void {
		this.#provider.sendToNode(nodeId, encodeNodeMessage(message)).catch(() => {});
	}
}
