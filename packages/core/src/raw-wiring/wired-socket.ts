import type { Payload, WebSocketConnection } from '@orijs/websocket';
import type { AppSocket, TopicSubscribeOptions, TopicUnsubscribeOptions } from '../app-socket.ts';
import { subscribeOwnSocket, type SubscribingServices } from '../session/subscribe-own-socket.ts';
import { unsubscribeOwnSocket } from '../session/unsubscribe-own-socket.ts';
import { speakerForm } from '../speaker-form.ts';

/**
 * The socket that handlers of typed messages get, in front of Bun's own: its pub/sub reaches every node, and what it
 * sends is never taken for a frame of the protocol. Bun's socket itself is left as it is, for the handlers that the
 * application has given to its server.
 */
export class WiredSocket implements AppSocket<any> {
	readonly #raw: WebSocketConnection<any>;
	readonly #services: SubscribingServices;
	readonly #onClose: () => void;

	/** @param onClose called when the application has closed the socket */
	constructor(raw: WebSocketConnection<any>, services: SubscribingServices, onClose: () => void) {
		this.#raw = raw;
		this.#services = services;
		this.#onClose = onClose;
	}

	get data(): AppSocket<any>['data'] {
		return this.#raw.data;
	}

	get subprotocol(): string | undefined {
		return this.#raw.data.subprotocol;
	}

	// Pub/sub

	subscribe(topic: string, options?: TopicSubscribeOptions): Promise<void> {
		return subscribeOwnSocket(this.#services, this.data, topic, options);
	}

	unsubscribe(topic: string, options?: TopicUnsubscribeOptions): Promise<void> {
		return unsubscribeOwnSocket(this.#services.provider, this.data.socketId, topic, options);
	}

	publish(topic: string, payload: Payload): Promise<void> {
		return this.#services.provider.publishFrom(this.data.socketId, topic, payload);
	}

	publishText(topic: string, text: string): Promise<void> {
		return this.publish(topic, text);
	}

	publishBinary(topic: string, bytes: Exclude<Payload, string>): Promise<void> {
		return this.publish(topic, bytes);
	}

	isSubscribed(topic: string): boolean {
		return this.readyState === WebSocket.OPEN && this.data.topics.has(topic);
	}

	get subscriptions(): string[] {
		return this.readyState === WebSocket.OPEN ? [...this.data.topics] : [];
	}

	// Sending

	send(data: string | Bun.BufferSource | Blob, compress?: boolean): number {
		return this.#raw.send(speakerForm(data), compress);
	}

	sendText(data: string, compress?: boolean): number {
		return this.#raw.send(speakerForm(data), compress);
	}

	sendBinary(data: Bun.BufferSource | Blob, compress?: boolean): number {
		return this.#raw.send(speakerForm(data), compress);
	}

	ping(data?: string | Bun.BufferSource | Blob): number {
		return this.#raw.ping(data);
	}

	pong(data?: string | Bun.BufferSource | Blob): number {
		return this.#raw.pong(data);
	}

	cork<TResult>(callback: (ws: AppSocket<any>) => TResult): TResult {
		return this.#raw.cork(() => callback(this));
	}

	getBufferedAmount(): number {
		return this.#raw.getBufferedAmount();
	}

	// The connection

	get remoteAddress(): string {
		return this.#raw.remoteAddress;
	}

	get readyState(): WebSocketConnection['readyState'] {
		return this.#raw.readyState;
	}

	get binaryType(): NonNullable<WebSocketConnection['binaryType']> {
		return this.#raw.binaryType ?? 'nodebuffer';
	}

	set binaryType(type: NonNullable<WebSocketConnection['binaryType']>) {
		this.#raw.binaryType = type;
	}

	close(code?: number, reason?: string): void {
		this.#raw.close(code, reason);
		this.#onClose();
	}

	terminate(): void {
		this.#raw.terminate();
		this.#onClose();
	}

	pause(): void {
		this.#raw.pause();
	}

	resume(): void {
		this.#raw.resume();
	}

	get isPaused(): boolean {
		return this.#raw.isPaused;
	}
}
