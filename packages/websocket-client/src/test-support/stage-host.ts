import { startTcpProxy, type TcpProxy } from '@orijs/testkit';
import { WsProvider } from '@orijs/websocket';
import { encodeEnvelope, SocketRequestError } from '@orijs/websocket/protocol';
import { MemoryBackend } from '@orijs/websocket/testing';
import { type ApplicationServer, type Backstage, HISTORY, SILENT, startApplication } from './application-server.ts';
import { Numbered, WhoAreYou } from './messages.ts';
import { type RawServer, startRawServer } from './raw-server.ts';
import type { AnswerOfClient, LinkFault, Published, RawServerOptions, ServerOptions, Stage } from './stage.ts';
import { startPublisher } from './steady-publisher.ts';

/** A stage where the servers are. */
export class StageHost implements Stage {
	readonly #proxy: TcpProxy;
	/** Emits to the clients of the first node over the backend, and is there while that is not. */
	readonly #otherNode: WsProvider;
	readonly #backstage: Backstage;
	readonly #open: () => void;
	#server: ApplicationServer | undefined;
	#raw: RawServer | undefined;
	#stopping: Promise<unknown> = Promise.resolve();
	#ending: Promise<void> | undefined;
	#endPublishing: () => Published[] = () => [];

	private constructor(proxy: TcpProxy, origins: readonly string[]) {
		const gate = Promise.withResolvers<void>();
		const backend = new MemoryBackend();
		this.#proxy = proxy;
		this.#open = gate.resolve;
		this.#otherNode = new WsProvider({ bus: backend.createBus(), logger: SILENT, graceMs: 0, history: HISTORY });
		this.#backstage = {
			backend,
			origins,
			handled: [],
			shown: [],
			forbidden: new Set(),
			gate: gate.promise,
			isBackendBroken: false,
		};
	}

	/** @param origins of pages that may connect */
	static async start(origins: readonly string[] = []): Promise<StageHost> {
		const proxy = await startTcpProxy({ port: 9 });
		proxy.refuse(true);
		const stage = new StageHost(proxy, origins);
		await stage.#otherNode.start();
		return stage;
	}

	/** The end of it all; twice is fine. */
	end(): Promise<void> {
		return (this.#ending ??= this.#end());
	}

	async #end(): Promise<void> {
		this.#endPublishing();
		this.#open();
		await this.kill();
		await this.#stopping;
		await this.#otherNode.stop();
		await this.#proxy.stop();
	}

	get url(): string {
		return `ws://127.0.0.1:${this.#proxy.port}/ws`;
	}

	get #app(): ApplicationServer {
		if (this.#server === undefined) throw new Error('no application is on stage');
		return this.#server;
	}

	get #rawServer(): RawServer {
		if (this.#raw === undefined) throw new Error('no raw server is on stage');
		return this.#raw;
	}

	async serve(options: ServerOptions = {}): Promise<void> {
		await this.#stopping;
		this.#server = await startApplication(this.#backstage, options);
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

	async kick(code: number, reason?: string): Promise<void> {
		this.#raw?.kick(code, reason);
		for (const socket of this.#server?.sockets ?? []) socket.close(code, reason);
	}

	async link(fault: LinkFault): Promise<void> {
		const proxy = this.#proxy;
		const faults: Record<LinkFault, () => unknown> = {
			freeze: () => proxy.freeze(),
			thaw: () => proxy.thaw(),
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
		return this.#app.app.socket.send(socketId, encodeEnvelope(Numbered.name, { n }));
	}

	async ask(socketId: string, name: string): Promise<AnswerOfClient> {
		try {
			return { data: await this.#app.app.socket.request(socketId, WhoAreYou, name, { timeoutMs: 3_000 }) };
		} catch (error) {
			const { code, message } = error as SocketRequestError;
			return { code, message };
		}
	}

	async publishSteadily(topic: string): Promise<void> {
		this.#endPublishing = startPublisher(this.#otherNode, topic);
	}

	async published(): Promise<Published[]> {
		return this.#endPublishing();
	}

	async interrupt(topics: readonly string[] | 'all', since: number): Promise<void> {
		this.#app.interrupt(topics, since);
	}

	async handled(): Promise<Backstage['handled']> {
		return this.#backstage.handled;
	}

	async shown(): Promise<unknown[]> {
		return this.#backstage.shown;
	}

	async joined(): Promise<string[]> {
		return [...this.#app.sockets].flatMap(({ data }) => [...data.topics]).toSorted();
	}

	async release(): Promise<void> {
		this.#open();
	}

	async forbid(topics: readonly string[]): Promise<void> {
		for (const topic of topics) this.#backstage.forbidden.add(topic);
	}

	async breakBackend(broken: boolean): Promise<void> {
		this.#backstage.isBackendBroken = broken;
	}

	async heard(): Promise<RawServer['heard'][number][]> {
		return [...this.#rawServer.heard];
	}

	async say(text: string): Promise<void> {
		this.#rawServer.say(text);
	}

	async sayBytes(bytes: readonly number[]): Promise<void> {
		this.#rawServer.say(Uint8Array.from(bytes));
	}
}
