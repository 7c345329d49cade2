import { readRetryHint } from '@orijs/websocket/protocol';
import type { Sale } from './shop.ts';

/** Less than some orders take: they wait behind each other. */
const BETWEEN_ORDERS_MS = 80;
/** After a refusal, on average. */
const TRY_AGAIN_MS = 30;

/** What became of an order: `answered`, the code of its refusal, or nothing. */
export interface Placed {
	readonly id: string;
	readonly answers: string[];
}

/** One connection, as its client saw it; times in milliseconds since the epoch. */
export interface Connection {
	subscribedAt: number | undefined;
	ended: { readonly code: number; readonly reason: string; readonly at: number } | undefined;
	readonly orders: Placed[];
	readonly heard: Sale[];
}

/** Stays in its room, whatever happens to its connection, and places order after order. Writes down all that it sees. */
export class ShopClient {
	readonly connections: Connection[] = [];
	/** How often nobody let it in. */
	refusals = 0;
	readonly room: string;
	readonly #name: string;
	readonly #ports: readonly number[];
	/** Which of the ports it tries next. */
	#next: number;
	#socket: WebSocket | undefined;
	#isOrdering = true;
	#hasLeft = false;
	#orders = 0;

	/** @param first which of the ports it tries first */
	constructor(name: string, room: string, ports: readonly number[], first: number) {
		this.#name = name;
		this.room = room;
		this.#ports = ports;
		this.#next = first;
		this.#connect();
	}

	/** Whether it is connected and in its room. */
	get isThere(): boolean {
		const last = this.connections.at(-1);
		return last !== undefined && last.subscribedAt !== undefined && last.ended === undefined;
	}

	/** All orders of all connections. */
	get orders(): readonly Placed[] {
		return this.connections.flatMap(({ orders }) => orders);
	}

	/** Places no more orders. */
	stopOrdering(): void {
		this.#isOrdering = false;
	}

	/** The end of it. */
	leave(): void {
		this.#hasLeft = true;
		this.#socket?.close();
	}

	#connect(): void {
		const port = this.#ports[this.#next];
		const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
		this.#socket = socket;
		let connection: Connection | undefined;
		let timer: ReturnType<typeof setInterval> | undefined;
		socket.addEventListener('open', () => {
			connection = { subscribedAt: undefined, ended: undefined, orders: [], heard: [] };
			this.connections.push(connection);
			say(socket, '@subscribe', { topic: this.room }, SUBSCRIPTION);
		});
		socket.addEventListener('message', ({ data }: MessageEvent<string>) => {
			if (connection === undefined) return;
			const wasThere = connection.subscribedAt !== undefined;
			hear(connection, JSON.parse(data) as Heard);
			if (wasThere || connection.subscribedAt === undefined) return;
			const { orders } = connection;
			timer = setInterval(() => this.#order(socket, orders), BETWEEN_ORDERS_MS);
		});
		socket.addEventListener('close', ({ code, reason }) => {
			clearInterval(timer);
			if (connection !== undefined) connection.ended = { code, reason, at: Date.now() };
			if (!this.#hasLeft) this.#comeBack(connection);
		});
	}

	/** After the end of a connection to either of the nodes, as a balancer would have it; after a refusal, to the other one. */
	#comeBack(last: Connection | undefined): void {
		const nodes = this.#ports.length;
		if (last === undefined) this.refusals++;
		this.#next = last === undefined ? (this.#next + 1) % nodes : Math.floor(Math.random() * nodes);
		const wait = last === undefined ? 2 * TRY_AGAIN_MS * Math.random() : readRetryHint(last.ended?.reason ?? '');
		setTimeout(() => this.#connect(), wait ?? 0);
	}

	#order(socket: WebSocket, orders: Placed[]): void {
		if (!this.#isOrdering || socket.readyState !== WebSocket.OPEN) return;
		const id = `${this.#name} ${++this.#orders}`;
		orders.push({ id, answers: [] });
		say(socket, 'order', { id, room: this.room }, id);
	}
}

const SUBSCRIPTION = 'subscription';

interface Heard {
	readonly name?: string;
	readonly data?: unknown;
	readonly correlationId?: string;
	readonly error?: { readonly code: string };
}

function hear(connection: Connection, { name, data, correlationId, error }: Heard): void {
	if (name === 'sold') connection.heard.push(data as Sale);
	else if (correlationId !== SUBSCRIPTION)
		connection.orders.find(({ id }) => id === correlationId)?.answers.push(error?.code ?? 'answered');
	else if (error === undefined) connection.subscribedAt = Date.now();
}

function say(socket: WebSocket, type: string, data: unknown, correlationId: string): void {
	socket.send(JSON.stringify({ type, data, correlationId }));
}
