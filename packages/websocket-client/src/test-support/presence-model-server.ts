import type { PresenceNotice } from '@orijs/websocket/protocol';
import type { PresenceMember } from '../index.ts';

export const TOPIC = 'room';
export const ME = 'user:me';

interface Client {
	isIn: boolean;
	isWatching: boolean;
	/** Whether it watches only the count. */
	isCounting: boolean;
	own: Record<string, unknown>;
}

interface Request {
	readonly type: string;
	readonly correlationId: string;
	readonly data: { readonly after?: string; readonly isCountOnly?: true; readonly info: Record<string, unknown> };
}

const PAGE = 3;

/**
 * A server with one topic, for one client: it tells what changes as an OriJS server does, and knows who is really
 * there. It puts off telling, and answers from a state that is newer than what it has told.
 */
export class PresenceModelServer {
	/** Who is there. */
	readonly members = new Map<string, PresenceMember>();
	readonly url: string;
	isCountOnly = false;
	isStale = false;
	#isLosing = false;
	#epoch = 0;
	#n = 0;
	/** The keys of which the next notice tells how they are now. */
	readonly #changed = new Set<string>();
	/** Those who were there when the last notice was sent. */
	#told = new Set<string>();
	readonly #sockets = new Set<Bun.ServerWebSocket<Client>>();
	readonly #random: (below: number) => number;
	readonly #server: Bun.Server<Client>;

	constructor(random: (below: number) => number) {
		this.#random = random;
		this.#server = Bun.serve<Client>({
			hostname: '127.0.0.1',
			port: 0,
			fetch: (request, server) =>
				server.upgrade(request, {
					headers: { 'Sec-WebSocket-Protocol': 'orijs.1' },
					data: { isIn: false, isWatching: false, isCounting: false, own: {} },
				})
					? undefined
					: new Response(null, { status: 426 }),
			websocket: {
				data: {} as Client,
				open: (socket) => void this.#sockets.add(socket),
				close: (socket) => {
					this.#sockets.delete(socket);
					this.#leave(socket);
				},
				message: (socket, text) => this.#received(socket, JSON.parse(String(text)) as Request),
			},
		});
		this.url = `ws://127.0.0.1:${this.#server.port}/ws`;
	}

	get all(): PresenceMember[] {
		return [...this.members.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
	}

	stop(): Promise<void> {
		return this.#server.stop(true);
	}

	// What happens

	set(key: string, n: number): void {
		this.members.set(key, { key, connections: 1, since: 0, info: { n } });
		this.#changed.add(key);
	}

	remove(key: string): void {
		if (this.members.delete(key)) this.#changed.add(key);
	}

	/** Everything that was told is of no use any longer. */
	beginEpoch(isCountOnly: boolean): void {
		const wasCountOnly = this.isCountOnly;
		this.isCountOnly = isCountOnly;
		if (isCountOnly && !wasCountOnly) return this.tell();
		this.#epoch++;
		this.#n = 0;
		this.#changed.clear();
		const version = this.#version;
		this.#notify({ topic: TOPIC, version, previous: version, count: this.members.size, ...this.#flags });
	}

	/** A notice that does not arrive. */
	lose(): void {
		this.#isLosing = true;
		this.tell();
		this.#isLosing = false;
	}

	/** Tells what has changed. */
	tell(): void {
		const previous = this.#version;
		this.#n++;
		const lists: Record<'joined' | 'updated', PresenceMember[]> = { joined: [], updated: [] };
		const left: string[] = [];
		for (const key of this.#changed) {
			const member = this.members.get(key);
			if (member) lists[this.#told.has(key) ? 'updated' : 'joined'].push(member);
			else left.push(key);
		}
		this.#changed.clear();
		this.#told = new Set(this.members.keys());
		const changes = this.isCountOnly ? {} : { ...lists, left };
		const count = this.members.size;
		this.#notify({ topic: TOPIC, version: this.#version, previous, count, ...changes, ...this.#flags });
	}

	cut(): void {
		for (const socket of this.#sockets) socket.terminate();
	}

	/** The server takes the client out of the topic, or puts it in. */
	move(isIn: boolean): void {
		for (const socket of this.#sockets) {
			if (socket.data.isIn === isIn) continue;
			if (isIn) this.#enter(socket);
			else {
				this.#leave(socket);
				this.#send(socket, '@unsubscribed', { topics: [{ topic: TOPIC, code: 'kicked', message: '' }] });
			}
		}
	}

	// Requests

	#received(socket: Bun.ServerWebSocket<Client>, request: Request): void {
		const { type, correlationId, data } = request;
		const answer = (content: object): void => this.#send(socket, type, content, correlationId);
		const refuse = (code: string): void =>
			void socket.send(JSON.stringify({ type, correlationId, error: { code, message: code } }));
		if (type === '@ping') answer({ timestamp: 1 });
		else if (type === '@auth') {
			if (this.#random(10) < 7) this.#enter(socket);
			answer({ socketId: 's', timestamp: 1 });
		} else if (type === '@unwatch') {
			socket.data.isWatching = false;
			answer({});
		} else if (!socket.data.isIn) refuse('not_subscribed');
		else if (type === '@update') {
			socket.data.own = data.info;
			this.#setOwn(socket);
			answer({});
		} else if (data.after === undefined) {
			socket.data.isWatching = true;
			socket.data.isCounting = data.isCountOnly === true;
			answer(this.#page('', socket.data.isCounting));
		} else {
			const after = data.after;
			setTimeout(() => {
				if (!socket.data.isWatching || this.isCountOnly) refuse('not_watched');
				else answer(this.#page(after));
			}, this.#random(5));
		}
	}

	#page(after: string, isCounting = false): object {
		const { size } = this.members;
		const page = { topic: TOPIC, version: this.#version, count: size, ...this.#flags, isCountOnly: undefined };
		if (this.isCountOnly || isCounting) return page;
		const all = this.all.filter(({ key }) => key > after);
		return { ...page, members: all.slice(0, PAGE), ...(all.length > PAGE && { hasMore: true }) };
	}

	get #version() {
		return { epoch: `e${this.#epoch}`, n: this.#n };
	}

	get #flags(): Pick<PresenceNotice, 'isCountOnly' | 'isStale'> {
		return { ...(this.isCountOnly && { isCountOnly: true }), ...(this.isStale && { isStale: true }) };
	}

	#enter(socket: Bun.ServerWebSocket<Client>): void {
		socket.data.isIn = true;
		this.#setOwn(socket);
		this.#send(socket, '@subscribed', { timestamp: 1, topics: [{ topic: TOPIC }] });
	}

	#leave({ data }: Bun.ServerWebSocket<Client>): void {
		if (data.isIn) this.remove(ME);
		data.isIn = data.isWatching = false;
		data.own = {};
	}

	#setOwn({ data }: Bun.ServerWebSocket<Client>): void {
		this.members.set(ME, { key: ME, connections: 1, since: 0, info: data.own });
		this.#changed.add(ME);
	}

	#notify(notice: PresenceNotice): void {
		if (this.#isLosing) return;
		const { topic, version, previous, count, isStale } = notice;
		const onlyCount = { topic, version, previous: { ...previous, n: 0 }, count, isStale, isCountOnly: true };
		for (const socket of this.#sockets) {
			const { isWatching, isCounting } = socket.data;
			if (isWatching) this.#send(socket, '@presence', isCounting ? onlyCount : notice);
		}
	}

	#send(socket: Bun.ServerWebSocket<Client>, type: string, data: object, correlationId?: string): void {
		socket.send(JSON.stringify({ type, data, correlationId }));
	}
}
