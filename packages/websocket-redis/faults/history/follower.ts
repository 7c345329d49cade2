import { SocketClient } from '../../../websocket-client/src/index.ts';

/** What one subscription heard, in order. */
export type Told =
	| { readonly kind: 'message'; readonly text: string; readonly epoch: string; readonly offset: number }
	| { readonly kind: 'recovered'; readonly recovered: boolean; readonly count: number }
	| { readonly kind: 'gap'; readonly since: number; readonly until: number };

/** A client of one topic that writes down what it hears. */
export class Follower {
	readonly topic: string;
	readonly told: Told[] = [];
	/** The text of the last message. */
	last = '';
	readonly #client: SocketClient;
	#socket: WebSocket | undefined;

	constructor(url: string, topic: string) {
		this.topic = topic;
		const opened = (socket: WebSocket): void => void (this.#socket = socket);
		this.#client = new SocketClient(url, {
			reconnect: { minDelayMs: 100, maxDelayMs: 200 },
			connectTimeoutMs: 5_000,
			WebSocket: class extends WebSocket {
				constructor(to: string) {
					super(to);
					opened(this);
				}
			},
		});
		this.#client.onError(() => {});
	}

	/** Resolves when it is in its topic. */
	async join(): Promise<void> {
		await this.#client.connect();
		await this.#client.subscribe(this.topic, {
			onMessage: (data, { position }) => {
				this.last = String(data);
				this.told.push({
					kind: 'message',
					text: this.last,
					epoch: position?.epoch ?? '',
					offset: position?.offset ?? 0,
				});
			},
			onGap: ({ since, until }) => void this.told.push({ kind: 'gap', since, until }),
			onRecovered: ({ recovered, count }) => void this.told.push({ kind: 'recovered', recovered, count }),
		});
	}

	get texts(): string[] {
		return this.told.flatMap((one) => (one.kind === 'message' ? [one.text] : []));
	}

	/** Loses its connection, without a word. It comes back by itself. */
	cut(): void {
		this.#socket?.terminate();
	}

	close(): Promise<void> {
		return this.#client.close();
	}
}
