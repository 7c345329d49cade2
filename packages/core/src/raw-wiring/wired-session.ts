import type { WebSocketConnection } from '@orijs/websocket';
import type { AppSocket } from '../app-socket.ts';
import type { Grants } from '../session/grants.ts';
import { InboundMessages } from '../session/inbound-messages.ts';
import type { Session, SessionHost, SessionState } from '../session/session.ts';
import { WiredSocket } from './wired-socket.ts';

/** What all sessions of a {@link SocketProtocol} share. */
export interface WiredHost extends SessionHost {
	/** Whether no more messages are accepted. */
	readonly isStopped: boolean;
	readonly wrap: (raw: WebSocketConnection<any>, onClose: () => void) => WiredSocket;
}

/**
 * A connection that the application itself has upgraded, and whose client speaks the protocol. Its socket keeps the
 * data that the application has given it. Members that not every connection needs are created on first use.
 */
export class WiredSession implements Session {
	readonly #host: WiredHost;
	readonly #raw: WebSocketConnection<any>;
	#ws: AppSocket | undefined;
	#inbound: InboundMessages | undefined;
	/** Aborted when the connection has ended. */
	#ended: AbortController | undefined;
	#isClosed = false;
	#isClosing = false;
	#hasDropped = false;
	grants: Grants = undefined;
	pendingAnswers = 0;
	droppingSince: number | undefined = undefined;
	/** Whether the frame being handled was no typed message. */
	isForeign = false;

	constructor(host: WiredHost, raw: WebSocketConnection<any>) {
		this.#host = host;
		this.#raw = raw;
	}

	get socketId(): string {
		return this.#raw.data.socketId;
	}

	get data(): object {
		return this.#raw.data.data as object;
	}

	get topics(): ReadonlySet<string> {
		return this.#raw.data.topics;
	}

	get userId(): string | undefined {
		return (this.#raw.data as { readonly userId?: string }).userId;
	}

	/** The application's own data: no guards have set other values. */
	get values(): object {
		return this.data;
	}

	get isSpeaker(): boolean {
		return true;
	}

	get ws(): AppSocket {
		this.#ws ??= this.#host.wrap(this.#raw, () => this.#closing());
		return this.#ws;
	}

	// Life cycle

	get state(): SessionState {
		if (this.#isClosed || this.#raw.readyState !== WebSocket.OPEN) return 'closed';
		return this.#isClosing || this.#host.isStopped ? 'closing' : 'open';
	}

	/** Does nothing: there are no guards. */
	admit(): void {}

	/** Does nothing: the application opens the connection. */
	open(): void {}

	get signal(): AbortSignal {
		this.#ended ??= new AbortController();
		if (this.state === 'closed') this.#ended.abort(CONNECTION_ENDED);
		return this.#ended.signal;
	}

	stopAccepting(): void {
		this.#isClosing = true;
	}

	end(code: number, reason: string): void {
		this.#raw.close(code, reason);
		this.#closing();
	}

	/** Called when the server closes the connection. Messages that are still queued are dropped. */
	#closing(): void {
		this.#inbound?.drop();
		this.stopAccepting();
	}

	/** Called when the connection is gone. */
	closed(): void {
		this.#isClosed = true;
		this.#ended?.abort(CONNECTION_ENDED);
	}

	get isDrained(): boolean {
		if (this.isBusy) return false;
		return this.state === 'closed' || (this.pendingAnswers === 0 && this.#raw.getBufferedAmount() === 0);
	}

	// Inbound

	get inbound(): InboundMessages {
		this.#inbound ??= new InboundMessages(this, this.#host);
		return this.#inbound;
	}

	releaseHeld(): void {
		this.#inbound?.releaseHeld();
	}

	waitFor(opening: object): void {
		this.inbound.begin(opening);
	}

	waitedFor(opening: object): void {
		this.#inbound?.finished(opening);
	}

	whenAllStarted(then: () => void): void {
		this.inbound.whenAllStarted(then);
	}

	get isBusy(): boolean {
		return this.#inbound?.running !== undefined;
	}

	get isPaused(): boolean {
		return this.#inbound?.isPaused === true;
	}

	get startedAt(): number {
		return this.#inbound?.startedAt ?? 0;
	}

	handlerTimedOut(): void {
		this.#inbound?.timedOut();
	}

	// Outbound

	send(frame: string): boolean {
		if (this.state === 'closed') return false;
		if (this.#raw.send(frame) !== 0) return true;
		this.#hasDropped = true;
		this.#host.onSlowReader(this);
		return false;
	}

	get hasDropped(): boolean {
		return this.#hasDropped;
	}

	ping(): void {
		this.#raw.ping();
	}
}

const CONNECTION_ENDED = new DOMException('The connection has ended', 'AbortError');
