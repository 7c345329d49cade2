import { SocketMessage } from '@orijs/websocket/protocol';
import { z } from 'zod';

export const OrderSchema = z.object({ id: z.string().max(20), status: z.enum(['new', 'paid', 'sent']) });
export type Order = z.infer<typeof OrderSchema>;

/** A client asks for an order. */
export const GetOrder = SocketMessage.define({
	name: 'order.get',
	data: z.object({ id: z.string().max(20) }),
	reply: OrderSchema,
});

/** The server says that an order has changed, in the order's topic. */
export const OrderChanged = SocketMessage.define({ name: 'order.changed', data: OrderSchema });

export const topicOf = (id: string): string => `order:${id}`;
