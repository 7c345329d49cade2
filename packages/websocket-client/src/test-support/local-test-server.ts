import { startTcpProxy, type TcpProxy } from '@orijs/testkit';
import { type PresenceStore, WsProvider } from '@orijs/websocket';
import { encodeEnvelope, SocketRequestError } from '@orijs/websocket/protocol';
import { MemoryBackend } from '@orijs/websocket/testing';
import type { PresenceMember } from '../index.ts';
import {
	type ApplicationServer,
	type SharedState,
	HISTORY,
	PRESENCE,
	SILENT,
	startApplication,
} from './application-server.ts';
import { Crowd } from './crowd.ts';
import { Numbered, WhoAreYou } from './messages.ts';
import { type RawServer, startRawServer } from './raw-server.ts';
import type {
	ClientAnswer,
	Disconnection,
	NetworkFault,
	Published,
	RawServerOptions,
	ServerOptions,
	TestServer,
} from './test-server.ts';
import { startNumberPublisher } from './number-publisher.ts';

/** A test server in this process. */
export class LocalTestServer implements TestServer {
	readonly #proxy: TcpProxy;
	/**
	 * A second node. It keeps running while the first one is stopped, and its messages reach clients over the backend.
	 */
	readonly #otherNode: WsProvider;
	readonly #crowd: Crowd;
	readonly #shared: SharedState;
	readonly #openGate: () => void;
	#server: ApplicationServer | undefined;
	#raw: RawServer | undefined;
	#stopping: Promise<unknown> = Promise.resolve();
	#ending: Promise<void> | undefined;
	#stopPublishing: () => Published[] = () => [];

	private constructor(proxy: TcpProxy, origins: readonly string[]) {
		const gate = Promise.withResolvers<void>();
		const backend = new MemoryBackend();
		const bus = backend.createBus();
		this.#proxy = proxy;
		this.#openGate = gate.resolve;
		this.#otherNode = new WsProvider({
			bus,
			logger: SILENT,
			graceMs: 0,
			history: HISTORY,
			presence: PRESENCE,
		});
		this.#crowd = new Crowd(bus.presence as PresenceStore);
		this.#shared = {
			backend,
			origins,
			handled: [],
			credentials: [],
			forbidden: new Set(),
			chosen: new Set(),
			gate: gate.promise,
			isBackendBroken: false,
			isHistoryBroken: false,
			token: undefined,
		};
	}

	/** @param origins the origins of pages that may connect */
	static async start(origins: readonly string[] = []): Promise<LocalTestServer> {
		const proxy = await startTcpProxy({ port: 9 });
		proxy.refuse(true);
		const server = new LocalTestServer(proxy, origins);
		await server.#otherNode.start();
		return server;
	}

	/** Stops everything. Can be called more than once. */
	end(): Promise<void> {
		return (this.#ending ??= this.#end());
	}

	async #end(): Promise<void> {
		this.#stopPublishing();
		this.#openGate();
		await this.kill();
		await this.#stopping;
		await this.#otherNode.stop();
		await this.#proxy.stop();
	}

	get url(): string {
		return `ws://127.0.0.1:${this.#proxy.port}/ws`;
	}

	get #app(): ApplicationServer {
		if (this.#server === undefined) throw new Error('no application is running');
		return this.#server;
	}

	get #rawServer(): RawServer {
		if (this.#raw === undefined) throw new Error('no raw server is running');
		return this.#raw;
	}

	async serve(options: ServerOptions = {}): Promise<void> {
		await this.#stopping;
		this.#server = await startApplication(this.#shared, options);
		this.#proxy.retarget({ port: this.#server.port });
		this.#proxy.refuse(false);
	}

	async serveRaw(options: RawServerOptions = {}): Promise<void> {
		await this.#stopping;
		this.#raw = startRawServer(options);
		this.#proxy.retarget({ port: this.#raw.port });
		this.#proxy.refuse(false);
	}

	async stop(): Promise<void> {
		await this.beginStop();
		await this.#stopping;
	}

	async beginStop(): Promise<void> {
		this.#stopping = this.#app.app.stop();
		this.#server = undefined;
	}

	async kill(): Promise<void> {
		this.#proxy.refuse(true);
		this.#proxy.cut();
		const [server, raw] = [this.#server, this.#raw];
		this.#server = this.#raw = undefined;
		await Promise.all([this.#stopping, server?.app.stop({ graceMs: 0 }), raw?.stop()]);
	}

	async disconnect(why: Disconnection): Promise<number> {
		return (await this.#otherNode.cluster.disconnect('all', why)).sockets;
	}

	async closeConnections(code: number, reason?: string): Promise<void> {
		this.#raw?.closeConnections(code, reason);
		for (const socket of this.#server?.sockets ?? []) socket.close(code, reason);
	}

	async network(fault: NetworkFault): Promise<void> {
		const proxy = this.#proxy;
		const faults: Record<NetworkFault, () => unknown> = {
			freeze: () => proxy.freeze(),
			'freeze connections': () => proxy.freeze(() => true),
			thaw: () => proxy.thaw(),
			'slow upload': () => proxy.throttle(4_000_000, 'toServer'),
			cut: () => proxy.cut(),
			end: () => proxy.cut(undefined, 'end'),
			refuse: () => proxy.refuse(true),
			accept: () => proxy.refuse(false),
		};
		faults[fault]();
	}

	async connections(): Promise<number> {
		return this.#proxy.connections;
	}

	async accepted(): Promise<number> {
		return this.#proxy.accepted;
	}

	publish(topic: string, text: string): Promise<void> {
		return this.#app.app.socket.publish(topic, text);
	}

	publishBytes(topic: string, bytes: readonly number[]): Promise<void> {
		return this.#app.app.socket.publish(topic, Uint8Array.from(bytes));
	}

	broadcast(text: string): Promise<void> {
		return this.#app.app.socket.broadcast(text);
	}

	emit(topic: string, n: number): Promise<void> {
		return this.#otherNode.emit(Numbered, topic, { n });
	}

	async emitAll(topic: string, all: readonly number[]): Promise<void> {
		await Promise.all(all.map((n) => this.emit(topic, n)));
	}

	sendTo(socketId: string, n: number): Promise<void> {
		return this.#app.provider.sendEnvelope(socketId, encodeEnvelope(Numbered.name, { n }));
	}

	async request(socketId: string, name: string): Promise<ClientAnswer> {
		try {
			return { data: await this.#app.app.socket.request(socketId, WhoAreYou, name, { timeoutMs: 3_000 }) };
		} catch (error) {
			const { code, message } = error as SocketRequestError;
			return { code, message };
		}
	}

	async publishSteadily(topic: string): Promise<void> {
		this.#stopPublishing = startNumberPublisher(this.#otherNode, topic);
	}

	async stopPublishing(): Promise<Published[]> {
		return this.#stopPublishing();
	}

	async interrupt(topics: readonly string[] | 'all', since: number): Promise<void> {
		this.#app.interrupt(topics, since);
	}

	async handled(): Promise<SharedState['handled']> {
		return this.#shared.handled;
	}

	async credentials(): Promise<unknown[]> {
		return this.#shared.credentials;
	}

	async subscribedTopics(): Promise<string[]> {
		return [...this.#app.sockets].flatMap(({ data }) => [...data.topics]).toSorted();
	}

	async releaseWaits(): Promise<void> {
		this.#openGate();
	}

	async accept(token: string): Promise<void> {
		this.#shared.token = token;
	}

	async forbid(topics: readonly string[]): Promise<void> {
		for (const topic of topics) this.#shared.forbidden.add(topic);
	}

	async choose(topics: readonly string[]): Promise<void> {
		for (const topic of topics) {
			this.#shared.chosen.add(topic);
			await Promise.all([...(this.#server?.sockets ?? [])].map((socket) => socket.subscribe(topic)));
		}
	}

	async remove(topic: string, code: string): Promise<void> {
		this.#shared.chosen.delete(topic);
		const { provider, sockets } = this.#app;
		for (const { data } of sockets) await provider.unsubscribe(data.socketId, topic, { code, message: 'simulated' });
	}

	async breakBackend(broken: boolean): Promise<void> {
		this.#shared.isBackendBroken = broken;
	}

	async breakHistory(broken: boolean): Promise<void> {
		this.#shared.isHistoryBroken = broken;
	}

	enter(topic: string, users: readonly string[]): Promise<void> {
		return this.#crowd.enter(topic, users, membersUpTo(topic));
	}

	leave(topic: string, users: readonly string[]): Promise<void> {
		return this.#crowd.leave(topic, users, membersUpTo(topic));
	}

	async members(topic: string): Promise<readonly PresenceMember[]> {
		return (await this.#otherNode.presence.members(topic, { limit: 1_000 })).members;
	}

	async reauthorize(topic: string): Promise<void> {
		await this.#otherNode.cluster.reauthorize('all', topic);
	}

	async cutBackend(isCut: boolean): Promise<void> {
		this.#app.cutBackend(isCut);
	}

	async received(): Promise<RawServer['received'][number][]> {
		return [...this.#rawServer.received];
	}

	async sendRaw(text: string): Promise<void> {
		this.#rawServer.send(text);
	}

	async sendRawBytes(bytes: readonly number[]): Promise<void> {
		this.#rawServer.send(Uint8Array.from(bytes));
	}
}

/** What the provider's rules say. */
function membersUpTo(topic: string): number {
	return PRESENCE[`${topic.split(':')[0]}:*`]?.membersUpTo ?? 1_000;
}
