import { SocketEndpoint, SocketRouter } from '@orijs/core';
import type { Logger } from '@orijs/websocket';
import { SocketError } from '@orijs/websocket';
import { GetOrder, type Order, OrderChanged, OrderSchema, topicOf } from './messages.ts';

/** The orders of a shop, which all three servers serve: read and changed by HTTP, followed by WebSocket. */
export class Orders {
	readonly #orders = new Map<string, Order>();
	/** Clients connect to it at `/ws`, ask for orders, and subscribe to them. */
	readonly endpoint: SocketEndpoint;

	constructor(logger?: Logger) {
		const router = new SocketRouter().on(GetOrder, ({ data }) => {
			const order = this.find(data.id);
			if (order === undefined) throw new SocketError('unknown_order', `There is no order ${data.id}`);
			return order;
		});
		this.endpoint = new SocketEndpoint({
			path: '/ws',
			authorize: { subscribe: (_, topic) => topic.startsWith('order:') },
			...(logger !== undefined && { logger }),
		}).socketRouter(router);
	}

	find(id: string): Order | undefined {
		return this.#orders.get(id);
	}

	/** Changes an order, and tells everybody who follows it. Returns undefined if the order is not valid. */
	async change(change: unknown): Promise<Order | undefined> {
		const { data: order } = OrderSchema.safeParse(change);
		if (order === undefined) return undefined;
		this.#orders.set(order.id, order);
		await this.endpoint.socket.emit(OrderChanged, topicOf(order.id), order);
		return order;
	}
}
