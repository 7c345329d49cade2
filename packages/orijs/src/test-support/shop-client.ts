import { readRetryHint } from '@orijs/websocket/protocol';
import type { Sale } from './shop.ts';

/** The interval between orders, in milliseconds: shorter than some orders take, so that orders queue up. */
const ORDER_INTERVAL_MS = 80;
/** The average delay after a refused connection, in milliseconds. */
const RETRY_MS = 30;

/** An order and its answers: `answered`, or the code of a refusal. */
export interface PlacedOrder {
	readonly id: string;
	readonly answers: string[];
}

/** A connection as seen by its client. Times are in milliseconds since the epoch. */
export interface Connection {
	subscribedAt: number | undefined;
	ended: { readonly code: number; readonly reason: string; readonly at: number } | undefined;
	readonly orders: PlacedOrder[];
	readonly received: Sale[];
}

/** A client that subscribes to its room on every connection, places orders, and records what happens. */
export class ShopClient {
	readonly connections: Connection[] = [];
	/** How many connections were refused. */
	refusals = 0;
	readonly room: string;
	readonly #name: string;
	readonly #ports: readonly number[];
	/** The index of the next port to try. */
	#next: number;
	#socket: WebSocket | undefined;
	#isOrdering = true;
	#isClosed = false;
	#orders = 0;

	/** @param first the index of the first port to try */
	constructor(name: string, room: string, ports: readonly number[], first: number) {
		this.#name = name;
		this.room = room;
		this.#ports = ports;
		this.#next = first;
		this.#connect();
	}

	/** Whether the client is connected and subscribed to its room. */
	get isSubscribed(): boolean {
		const last = this.connections.at(-1);
		return last !== undefined && last.subscribedAt !== undefined && last.ended === undefined;
	}

	/** All orders of all connections. */
	get orders(): readonly PlacedOrder[] {
		return this.connections.flatMap(({ orders }) => orders);
	}

	/** Stops placing orders. */
	stopOrdering(): void {
		this.#isOrdering = false;
	}

	/** Closes the connection for good. */
	close(): void {
		this.#isClosed = true;
		this.#socket?.close();
	}

	#connect(): void {
		const port = this.#ports[this.#next];
		const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, 'orijs.1');
		this.#socket = socket;
		let connection: Connection | undefined;
		let timer: ReturnType<typeof setInterval> | undefined;
		socket.addEventListener('open', () => {
			connection = { subscribedAt: undefined, ended: undefined, orders: [], received: [] };
			this.connections.push(connection);
			send(socket, '@subscribe', { topic: this.room }, SUBSCRIPTION);
		});
		socket.addEventListener('message', ({ data }: MessageEvent<string>) => {
			if (connection === undefined) return;
			const wasSubscribed = connection.subscribedAt !== undefined;
			receive(connection, JSON.parse(data) as Frame);
			if (wasSubscribed || connection.subscribedAt === undefined) return;
			const { orders } = connection;
			timer = setInterval(() => this.#order(socket, orders), ORDER_INTERVAL_MS);
		});
		socket.addEventListener('close', ({ code, reason }) => {
			clearInterval(timer);
			if (connection !== undefined) connection.ended = { code, reason, at: Date.now() };
			if (!this.#isClosed) this.#reconnect(connection);
		});
	}

	/**
	 * Reconnects as a load balancer would: to a random node after a connection has ended, or to the next node after a
	 * refusal.
	 */
	#reconnect(last: Connection | undefined): void {
		const nodes = this.#ports.length;
		if (last === undefined) this.refusals++;
		this.#next = last === undefined ? (this.#next + 1) % nodes : Math.floor(Math.random() * nodes);
		const delay = last === undefined ? 2 * RETRY_MS * Math.random() : readRetryHint(last.ended?.reason ?? '');
		setTimeout(() => this.#connect(), delay ?? 0);
	}

	#order(socket: WebSocket, orders: PlacedOrder[]): void {
		if (!this.#isOrdering || socket.readyState !== WebSocket.OPEN) return;
		const id = `${this.#name} ${++this.#orders}`;
		orders.push({ id, answers: [] });
		send(socket, 'order', { id, room: this.room }, id);
	}
}

const SUBSCRIPTION = 'subscription';

interface Frame {
	readonly name?: string;
	readonly data?: unknown;
	readonly correlationId?: string;
	readonly error?: { readonly code: string };
}

function receive(connection: Connection, { name, data, correlationId, error }: Frame): void {
	if (name === 'sold') connection.received.push(data as Sale);
	else if (correlationId !== SUBSCRIPTION)
		connection.orders.find(({ id }) => id === correlationId)?.answers.push(error?.code ?? 'answered');
	else if (error === undefined) connection.subscribedAt = Date.now();
}

function send(socket: WebSocket, type: string, data: unknown, correlationId: string): void {
	socket.send(JSON.stringify({ type, data, correlationId }));
}
