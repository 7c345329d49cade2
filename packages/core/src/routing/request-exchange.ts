import type { WebSocketProvider } from '@orijs/websocket';
import { CallOrder } from '@orijs/websocket/internal';
import { type ClientReply, readNodeMessage, requestingNode } from './node-messages.ts';
import type { PendingRequests } from './pending-requests.ts';
import { RemoteRequests } from './remote-requests.ts';

/** The requests that one endpoint has sent. */
export interface Requester {
	readonly pending: PendingRequests;
	/** The maximum number of pending requests to one socket. */
	readonly limit: number;
}

const exchanges = new WeakMap<WebSocketProvider, RequestExchange>();

/**
 * What the endpoints that share a provider have in common about requests to clients: any of them can send a request to
 * a client of any other, on this node and on others, and the reply arrives at the client's endpoint.
 */
export class RequestExchange {
	/** Keeps the messages to each socket in call order, by socket id, even if schemas validate asynchronously. */
	readonly order: CallOrder<string> = new CallOrder();
	readonly #provider: WebSocketProvider;
	readonly #requesters = new Set<Requester>();
	readonly #remote: RemoteRequests;
	#stopNodeMessages: (() => void) | undefined;
	#count = 0;

	private constructor(provider: WebSocketProvider) {
		this.#provider = provider;
		this.#remote = new RemoteRequests(provider);
	}

	/** Returns the exchange of a provider. */
	static of(provider: WebSocketProvider): RequestExchange {
		let exchange = exchanges.get(provider);
		if (exchange === undefined) exchanges.set(provider, (exchange = new RequestExchange(provider)));
		return exchange;
	}

	/** Adds an endpoint, from which requests are sent from now on. Does nothing if it was added before. */
	join(requester: Requester): void {
		this.#requesters.add(requester);
		this.#remote.limit = Math.max(this.#remote.limit, requester.limit);
		this.#stopNodeMessages ??= this.#provider.onNodeMessage((text) => this.#receiveNodeMessage(text));
	}

	/** Removes an endpoint that has stopped. Its pending requests have been rejected. */
	leave(requester: Requester): void {
		this.#requesters.delete(requester);
		this.#remote.limit = Math.max(0, ...Array.from(this.#requesters, ({ limit }) => limit));
		if (this.#requesters.size > 0) return;
		this.#stopNodeMessages?.();
		this.#stopNodeMessages = undefined;
	}

	nextCorrelationId(): string {
		return `${this.#provider.nodeId}.${++this.#count}`;
	}

	/** Returns whether this node is waiting for the socket's reply to a request. */
	isPending(socketId: string, correlationId: string): boolean {
		for (const { pending } of this.#requesters) if (pending.ofSocket(socketId).has(correlationId)) return true;
		return false;
	}

	/**
	 * Handles the reply of a client of this node to a request from this or another node. Returns `settled` if the
	 * request was pending, `ignored` if it may be pending elsewhere or is no longer pending, and `invalid` if no node
	 * can have sent it.
	 */
	receiveReply(socketId: string, correlationId: string, reply: ClientReply): 'settled' | 'ignored' | 'invalid' {
		const nodeId = requestingNode(correlationId);
		if (nodeId === undefined) return 'invalid';
		const wasPending =
			nodeId === this.#provider.nodeId
				? this.#settle(socketId, correlationId, reply)
				: this.#remote.reply(nodeId, socketId, correlationId, reply);
		return wasPending ? 'settled' : 'ignored';
	}

	#settle(socketId: string, correlationId: string, reply: ClientReply): boolean {
		for (const { pending } of this.#requesters) if (pending.settle(socketId, correlationId, reply)) return true;
		return false;
	}

	/** Receives a message from another node, which may be about a request. */
	#receiveNodeMessage(text: string): void {
		const message = readNodeMessage(text);
		switch (message?.kind) {
			case 'request':
				return this.#remote.receive(message);
			case 'reply':
				return void this.#settle(message.socketId, message.correlationId, message);
			case 'left':
				for (const { pending } of this.#requesters) pending.disconnect(message.socketId);
				return;
			case 'dropped':
				for (const { pending } of this.#requesters) pending.dropped(message);
		}
	}

	/** Rejects the pending requests of all nodes to a socket of this node that has closed. */
	disconnect(socketId: string): void {
		for (const { pending } of this.#requesters) pending.disconnect(socketId);
		this.#remote.disconnect(socketId);
	}
}
