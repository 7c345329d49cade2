import { SocketClient } from '../../../websocket-client/src/index.ts';

/** An event of a client's subscription. */
export type ClientEvent =
	| { readonly kind: 'message'; readonly text: string; readonly epoch: string; readonly offset: number }
	| { readonly kind: 'recovered'; readonly recovered: boolean; readonly count: number }
	| { readonly kind: 'gap'; readonly since: number; readonly until: number };

/** A client of one topic that records its events. */
export class RecordingClient {
	readonly topic: string;
	readonly events: ClientEvent[] = [];
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
				constructor(to: string, protocols: string[]) {
					super(to, protocols);
					opened(this);
				}
			},
		});
		this.#client.onError(() => {});
	}

	/** Connects and subscribes. */
	async subscribe(): Promise<void> {
		await this.#client.connect();
		await this.#client.subscribe(this.topic, {
			onMessage: (data, { position }) => {
				this.last = String(data);
				this.events.push({
					kind: 'message',
					text: this.last,
					epoch: position?.epoch ?? '',
					offset: position?.offset ?? 0,
				});
			},
			onGap: ({ since, until }) => void this.events.push({ kind: 'gap', since, until }),
			onRecovered: ({ recovered, count }) => void this.events.push({ kind: 'recovered', recovered, count }),
		});
	}

	get texts(): string[] {
		return this.events.flatMap((event) => (event.kind === 'message' ? [event.text] : []));
	}

	/** Terminates the connection without a close frame. The client reconnects. */
	cut(): void {
		this.#socket?.terminate();
	}

	close(): Promise<void> {
		return this.#client.close();
	}
}
