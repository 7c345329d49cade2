import { strict as assert } from 'node:assert';
import type { SocketClient, SocketClientOptions, SubscriptionOptions } from '../index.ts';
import { eventually } from './assertions.ts';
import { newClient } from './run-scenario.ts';
import type { TestServer } from './test-server.ts';

/** A server whose frames the scenario sends itself, and a client that records what it hears. */
export class PlayedServer {
	readonly client: SocketClient;
	/** Everything that the client's listeners have heard, in order. */
	readonly heard: unknown[] = [];
	readonly #server: TestServer;
	/** How many frames of the client have been awaited. */
	#read = 0;

	constructor(server: TestServer, options?: SocketClientOptions) {
		this.#server = server;
		this.client = newClient(server, options);
		this.client.onGap(({ topic, since, until }) => this.heard.push(['gap', topic, since, until]));
		this.client.onRecovered(({ topic, recovered, count }) => this.heard.push(['recovered', topic, recovered, count]));
		this.client.onTopicsChange(({ topic, type, by, code }) =>
			this.heard.push([type, topic, by, ...(code ? [code] : [])]),
		);
		this.client.onAny(({ topic, data }) => this.heard.push(['message', topic, data]));
	}

	/** Starts to connect, and resolves when `@auth` has arrived, with its correlation id. */
	async connect(): Promise<string> {
		void this.client.connect();
		return (await this.next('@auth')).correlationId;
	}

	/** Connects, and resolves when the client is ready. */
	async ready(): Promise<void> {
		await this.accept(await this.connect());
	}

	async accept(correlationId: string): Promise<void> {
		await this.answer('@auth', correlationId, { socketId: 's' });
		await eventually(() => this.client.state === 'ready', 'the client is ready');
	}

	/** Resolves with the client's next frame, except pings, which must be of this type. */
	async next(expected: string): Promise<{ readonly data: any; readonly correlationId: string }> {
		const frames = async () =>
			(await this.#server.received())
				.map(({ text }) => JSON.parse(text) as { type: string; data: any; correlationId: string })
				.filter(({ type }) => type !== '@ping');
		await eventually(async () => (await frames()).length > this.#read, `${expected} arrives`);
		const frame = (await frames())[this.#read++];
		assert.equal(frame?.type, expected);
		return frame;
	}

	async send(type: string, data: object): Promise<void> {
		await this.#server.sendRaw(JSON.stringify({ type, data }));
	}

	async answer(type: string, correlationId: string, data: object = {}): Promise<void> {
		await this.#server.sendRaw(JSON.stringify({ type, correlationId, data: { timestamp: Date.now(), ...data } }));
	}

	async refuseRequest(type: string, correlationId: string, code: string): Promise<void> {
		await this.#server.sendRaw(JSON.stringify({ type, correlationId, error: { code, message: 'refused' } }));
	}

	choose(topic: string, more: object = {}): Promise<void> {
		return this.send('@subscribed', { timestamp: Date.now(), topics: [{ topic, ...more }] });
	}

	remove(topic: string): Promise<void> {
		return this.send('@unsubscribed', { topics: [{ topic, code: 'kicked', message: 'bye' }] });
	}

	async message(topic: string, data: unknown, position?: object): Promise<void> {
		await this.#server.sendRaw(JSON.stringify({ name: 'n', data, timestamp: Date.now(), topic, position }));
	}

	/** Resolves when everything that was sent so far has been handled by the client, and has caused no request. */
	async handled(): Promise<void> {
		const marker = new Promise((resolve) => {
			const off = this.client.onRaw((raw) => raw === 'marker' && resolve(off()));
		});
		await this.#server.sendRaw('marker');
		await marker;
		assert.deepEqual(
			(await this.#server.received())
				.map(({ text }) => text)
				.filter((text) => !text.includes('"@ping"'))
				.slice(this.#read),
			[],
		);
	}

	subscribe(topic: string, options: SubscriptionOptions = {}) {
		return this.client.subscribe(topic, {
			onMessage: (data) => this.heard.push(['own message', data]),
			onUnsubscribed: ({ code }) => this.heard.push(['onUnsubscribed', code]),
			onRefused: ({ code }) => this.heard.push(['onRefused', code]),
			onRecovered: ({ recovered, count }) => this.heard.push(['onRecovered', recovered, count]),
			...options,
		});
	}

	/** What was recorded, without the times of gaps. */
	get told(): string[] {
		return this.heard.map((one) => (one as unknown[]).slice(0, (one as unknown[])[0] === 'gap' ? 2 : 4).join(' '));
	}

	/** Must be called when another server was started. */
	forget(): void {
		this.#read = 0;
	}

	async lose(): Promise<void> {
		await this.#server.network('cut');
		await eventually(() => this.client.state !== 'ready', 'the connection is lost');
	}
}
