// What the nodes of the rolling restart, their clients and the test say to each other.

import { SocketMessage } from '../index.ts';

interface NewOrder {
	readonly id: string;
	readonly room: string;
}

/** An order is answered, and the room hears of it. */
export const Order: SocketMessage<Schema<NewOrder>, Schema<string>> = SocketMessage.define({
	name: 'order',
	data: like<NewOrder>(),
	reply: like<string>(),
});

/** What a room hears: numbered by the process that says it, for each room. */
export interface Sale {
	readonly publisher: string;
	readonly room: string;
	readonly number: number;
}

export const Sold: SocketMessage<Schema<Sale>> = SocketMessage.define({ name: 'sold', data: like<Sale>() });

/** What a node is started with, in its environment as JSON under `SHOP_NODE`. */
export interface NodeSettings {
	/** Of this process: another one on the same port has another name. */
	readonly name: string;
	readonly port: number;
	readonly redisPort: number;
}

export type NodeRequest =
	/** Is answered once the node listens. */
	| { readonly do: 'ready' }
	/** One more message in each room, which it is answered with, so that somebody can wait for them. */
	| { readonly do: 'round'; readonly rooms: readonly string[] };

/** A message to a room; times in milliseconds since the epoch. */
export interface Emitted extends Sale {
	readonly beganAt: number;
	/** When the system had it. */
	readonly acceptedAt: number;
}

/** What a node tells on its way out. */
export interface Account {
	/** The orders whose handler was begun. */
	readonly begun: readonly string[];
	/** Those among them whose handler came to its end. */
	readonly done: readonly string[];
	readonly emitted: readonly Emitted[];
}

/** A schema that takes everything: what is tested here is not what messages look like. */
interface Schema<T> {
	readonly '~standard': {
		readonly version: 1;
		readonly vendor: string;
		readonly validate: (value: unknown) => { readonly value: T };
		readonly types?: { readonly input: T; readonly output: T };
	};
}

function like<T>(): Schema<T> {
	return { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: value as T }) } };
}
