import type { SocketData } from '../sockets/websocket-connection.ts';
import type { Bus } from '../bus.ts';
import type { Logger } from '../logger.ts';
import type { Gap } from '../loss/gap-events.ts';
import type { Presence } from '../presence/presence-contract.ts';
import { within } from '../support/promises.ts';
import { WsProvider } from '../ws-provider.ts';
import type { WsProviderOptions } from '../ws-provider-options.ts';
import type { CaseContext } from './case-context.ts';
import { until } from './waiting.ts';

/** The time between heartbeats, in milliseconds. It is short, so that dead connections are found quickly. */
const HEARTBEAT_MS = 100;
export const TOPIC = 't';

export type NodeOptions = Pick<WsProviderOptions, 'history' | 'presence' | 'collectBeatsAbove'>;

export interface SentMessage {
	readonly number: number;
	/** When the message was published, in milliseconds since the epoch. */
	readonly at: number;
}

/** Runs a provider on a bus, behind a real server, with one client in the topic. It closes when the test case ends. */
export class ProviderNode {
	readonly bus: Bus;
	readonly name: string;
	/** The messages that this node has published, in order. */
	readonly sent: SentMessage[] = [];
	/** The numbers of the messages whose `publish` rejected. */
	readonly rejected: Set<number> = new Set();
	/** The gaps that this node has reported. */
	readonly gaps: Gap[] = [];
	readonly #provider: WsProvider;
	/** The numbers of the received messages, by the name of the node that published them. */
	readonly #received = new Map<string, number[]>();
	readonly #unsettled = new Set<Promise<void>>();
	#port: number | undefined;

	private constructor(name: string, bus: Bus, options: NodeOptions) {
		this.name = name;
		this.bus = bus;
		this.#provider = new WsProvider({ bus, logger: SILENT, heartbeatMs: HEARTBEAT_MS, ...options });
		this.#provider.onGap((gap) => this.gaps.push(gap));
	}

	/** Resolves once the node's client is subscribed. */
	static async start(context: CaseContext, name: string, bus: Bus, options: NodeOptions = {}): Promise<ProviderNode> {
		const node = new ProviderNode(name, bus, options);
		await node.#open(context);
		return node;
	}

	async #open({ onEnd, timeoutMs }: CaseContext): Promise<void> {
		const provider = this.#provider;
		let subscribed = false;
		let failure: unknown;
		const server = Bun.serve<SocketData>({
			port: 0,
			hostname: '127.0.0.1',
			fetch(req, self) {
				const data = { socketId: crypto.randomUUID(), data: {}, topics: new Set([TOPIC]) };
				return self.upgrade(req, { data }) ? undefined : new Response('upgrade failed', { status: 400 });
			},
			websocket: {
				open: (ws) =>
					void provider.addConnection(ws).then(
						() => (subscribed = true),
						(error: unknown) => (failure = error),
					),
				message() {},
				close: (ws) => void provider.removeConnection(ws.data.socketId),
			},
		});
		onEnd(() => server.stop(true));
		onEnd(() => provider.stop());
		provider.setServer(server);
		await provider.start();
		this.#port = server.port;
		const client = this.connect();
		client.addEventListener('message', ({ data }: MessageEvent<string>) => this.#receive(data));
		const what = `node ${this.name} was not subscribed to ${TOPIC} in time`;
		await until(
			() => subscribed || failure !== undefined,
			timeoutMs,
			() => what,
		);
		if (!subscribed) throw new Error(what, { cause: failure });
	}

	/** Connects another client, which is then subscribed to the topic. */
	connect(): WebSocket {
		return new WebSocket(`ws://127.0.0.1:${this.#port}`);
	}

	/** Who this node says is present. */
	get presence(): Presence {
		return this.#provider.presence;
	}

	/** Records a received message. The client is plain, so it arrives as it was published. */
	#receive(text: string): void {
		const [name = '', number = ''] = text.split(' ');
		this.receivedFrom(name).push(Number(number));
	}

	/** Returns the numbers of a node's messages that this node's client has received, in the order of their arrival. */
	receivedFrom(name: string): number[] {
		let numbers = this.#received.get(name);
		if (numbers === undefined) this.#received.set(name, (numbers = []));
		return numbers;
	}

	/** Publishes the next message. */
	publish(): void {
		const message = { number: this.sent.length, at: Date.now() };
		this.sent.push(message);
		const outcome = this.#provider.publish(TOPIC, `${this.name} ${message.number}`).catch(() => {
			this.rejected.add(message.number);
		});
		this.#unsettled.add(outcome);
		void outcome.finally(() => this.#unsettled.delete(outcome));
	}

	/** The number of nodes that it knows, itself included. */
	get nodeCount(): number {
		return this.#provider.cluster.nodes().length;
	}

	/** Reports the gaps that are being held back, without waiting any longer. */
	flushGaps(): void {
		this.#provider.flushGaps();
	}

	/** Resolves once every `publish` has settled. */
	async settled(timeoutMs: number): Promise<void> {
		const late = (): Error =>
			new Error(`${this.#unsettled.size} publish() calls by node ${this.name} did not settle in time`);
		await within(timeoutMs, Promise.all(this.#unsettled), late);
	}
}

const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };
