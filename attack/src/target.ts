import type { Limits } from '@orijs/core';
import {
	openRawWebSocket,
	type RawWebSocket,
	type RedisServer,
	type ScriptProcess,
	spawnBun,
	startTcpProxy,
	type TcpProxy,
	until,
} from '@orijs/testkit';
import type { Noticed } from './bystander/protocol.ts';
import type { Readings, ServerRequest, ServerSettings } from './server/protocol.ts';

/** How long the server may take to answer a request of this process, in milliseconds. */
const REQUEST_TIMEOUT_MS = 30_000;

/** A server under attack, its other client, and everything that the attackers have opened. */
export class Target {
	readonly server: ScriptProcess;
	readonly redis: RedisServer | undefined;
	readonly #bystander: ScriptProcess;
	readonly #sockets: RawWebSocket[] = [];
	readonly #proxies: TcpProxy[] = [];
	readonly port: number;
	/** How many bytes the attackers have sent. */
	sentBytes = 0;
	/** Notes of the attack, printed with its figures. */
	readonly notes: string[] = [];

	private constructor(server: ScriptProcess, port: number, redis: RedisServer | undefined) {
		this.server = server;
		this.port = port;
		this.redis = redis;
		this.#bystander = spawnBun(new URL('./bystander/main.ts', import.meta.url), {
			args: [`ws://127.0.0.1:${port}/ws`],
		});
	}

	static async start(limits: Limits, redis: RedisServer | undefined): Promise<Target> {
		const settings: ServerSettings = { limits, redisPort: redis?.port };
		const server = spawnBun(new URL('./server/main.ts', import.meta.url), {
			env: { ATTACK_SERVER: JSON.stringify(settings), NO_COLOR: '1' },
		});
		const { port } = await server.request<Readings>({ do: 'read' } satisfies ServerRequest, REQUEST_TIMEOUT_MS);
		return new Target(server, port, redis);
	}

	get url(): string {
		return `ws://127.0.0.1:${this.port}/ws`;
	}

	ask(request: ServerRequest): Promise<Readings> {
		return this.server.request<Readings>(request, REQUEST_TIMEOUT_MS);
	}

	noticed(): Promise<Noticed> {
		return this.#bystander.request<Noticed>('noticed', REQUEST_TIMEOUT_MS);
	}

	/** Opens a connection as an attacker. */
	async open(port: number = this.port): Promise<RawWebSocket> {
		const socket = await openRawWebSocket(port, { headers: { 'Sec-WebSocket-Protocol': 'orijs.1' } });
		this.#sockets.push(socket);
		return socket;
	}

	/** Opens connections, fifty at a time. */
	async openMany(count: number, port: number = this.port): Promise<RawWebSocket[]> {
		const sockets: RawWebSocket[] = [];
		while (sockets.length < count) {
			const next = Array.from({ length: Math.min(50, count - sockets.length) }, () => this.open(port));
			sockets.push(...(await Promise.all(next)));
		}
		return sockets;
	}

	/** Sends raw frames, and counts them. */
	write(socket: RawWebSocket, bytes: Uint8Array): void {
		this.sentBytes += bytes.length;
		socket.write(bytes);
	}

	note(text: string): void {
		this.notes.push(text);
	}

	/** Starts a proxy in front of the server. */
	async proxy(): Promise<TcpProxy> {
		const proxy = await startTcpProxy({ port: this.port });
		this.#proxies.push(proxy);
		return proxy;
	}

	/** Drops what the attackers have opened. Resolves once the server knows. */
	async leave(): Promise<void> {
		for (const socket of this.#sockets) socket.end();
		await Promise.all(this.#proxies.map((proxy) => proxy.stop()));
		await until(async () => (await this.ask({ do: 'read' })).connections === 1, {
			what: 'only the well-behaved client is connected',
			timeoutMs: REQUEST_TIMEOUT_MS,
		});
	}

	async stop(): Promise<void> {
		await this.#bystander.stop();
		await this.server.stop(0);
	}
}
