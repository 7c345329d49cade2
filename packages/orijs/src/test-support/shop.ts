// The messages between the nodes of the rolling-restart test, their clients, and the test itself.

import { SocketMessage } from '../index.ts';

interface NewOrder {
	readonly id: string;
	readonly room: string;
}

/** An order, which the node answers and announces to the order's room. */
export const Order: SocketMessage<Schema<NewOrder>, Schema<string>> = SocketMessage.define({
	name: 'order',
	data: anything<NewOrder>(),
	reply: anything<string>(),
});

/** A message to a room. Each node process numbers its messages, separately for each room. */
export interface Sale {
	readonly publisher: string;
	readonly room: string;
	readonly number: number;
}

export const Sold: SocketMessage<Schema<Sale>> = SocketMessage.define({ name: 'sold', data: anything<Sale>() });

/** The settings of a node, passed as JSON in the environment variable `SHOP_NODE`. */
export interface NodeSettings {
	/** The name of this process. A later process on the same port has a different name. */
	readonly name: string;
	readonly port: number;
	readonly redisPort: number;
}

export type NodeRequest =
	/** Answered once the node is listening. */
	| { readonly do: 'ready' }
	/** Emits one more message to each room. Answered with these messages, so that the test can wait for them. */
	| { readonly do: 'round'; readonly rooms: readonly string[] };

/** An emitted message. Times are in milliseconds since the epoch. */
export interface Emitted extends Sale {
	readonly startedAt: number;
	/** When `emit()` resolved. */
	readonly acceptedAt: number;
}

/** The report that a node sends when it stops. */
export interface NodeReport {
	/** The orders whose handler started. */
	readonly started: readonly string[];
	/** The orders whose handler finished. */
	readonly done: readonly string[];
	readonly emitted: readonly Emitted[];
}

/** A schema that accepts everything, because validation is not tested here. */
interface Schema<T> {
	readonly '~standard': {
		readonly version: 1;
		readonly vendor: string;
		readonly validate: (value: unknown) => { readonly value: T };
		readonly types?: { readonly input: T; readonly output: T };
	};
}

function anything<T>(): Schema<T> {
	return { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: value as T }) } };
}
