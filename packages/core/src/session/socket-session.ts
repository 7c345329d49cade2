import { SUBPROTOCOL } from '@orijs/websocket/protocol';
import { isNetwork } from '../admission/client-address.ts';
import type { Slot } from '../admission/connection-slots.ts';
import type { UpgradeCandidate } from '../admission/upgrade-handler.ts';
import { type AppSocket, type FrameSender, SEND_FRAME } from '../app-socket.ts';
import type { Grants } from './grants.ts';
import { InboundMessages } from './inbound-messages.ts';
import type { FramePayload } from './frame-bytes.ts';
import type { KeptAlive } from './keep-alive.ts';
import type { Frame, Session, SessionHost, SessionState } from './session.ts';

/**
 * The object behind `ws.data`. Applications use only the members of `SocketData`, which are the only enumerable ones;
 * everything else is private or on the prototype.
 *
 * There is one per connection, and most connections are idle, so members that not every connection needs are created on
 * first use.
 */
export class SocketSession implements Session, KeptAlive {
	readonly socketId: string = crypto.randomUUID();
	data: object;
	// The provider replaces this with its own set when the socket is added.
	readonly topics: ReadonlySet<string> = NO_TOPICS;
	readonly connectedAt: number;
	/** Exists only once `upgrade` or a guard has set it. */
	declare readonly userId?: string;

	readonly #host: SessionHost;
	readonly #slot: Slot;
	readonly #subprotocol: string | undefined;
	#state: SessionState = 'guarding';
	#wasOpened = false;
	#ws: AppSocket | undefined;
	/** Set by the guards; without guards, created on first use. */
	#values: object | undefined;
	#inbound: InboundMessages | undefined;
	/** What the client's messages wait for. Most clients send none meanwhile. */
	#opening: object | undefined;
	/** Aborted when the connection has ended. */
	#ended: AbortController | undefined;
	#grants: Grants;
	#pendingAnswers = 0;
	#droppingSince: number | undefined;
	#hasDropped = false;
	#lingers = false;
	#lastSeen = 0;
	#pingGroup = 0;
	/** The number of pings that the client may still answer. */
	#unansweredPings = 0;

	constructor(
		host: SessionHost,
		{ data, slot, subprotocol, userId, connectedAt, forwardedFor }: Omit<UpgradeCandidate, 'req'>,
	) {
		this.#host = host;
		this.data = data;
		this.connectedAt = connectedAt;
		this.#setUserId(userId);
		this.#slot = slot;
		this.#subprotocol = subprotocol;
		// The slot has only the network of an IPv6 address.
		if (forwardedFor !== undefined && forwardedFor !== slot.address)
			Object.defineProperty(this, 'address', { value: forwardedFor });
	}

	/** The endpoint that the connection belongs to. */
	get host(): SessionHost {
		return this.#host;
	}

	// Life cycle

	get state(): SessionState {
		return this.#state;
	}

	get isOpen(): boolean {
		return this.#state === 'open';
	}

	/** Whether the session was ever open, that is, its guards have passed. */
	get wasOpened(): boolean {
		return this.#wasOpened;
	}

	/** The socket; available once `attach` has been called. */
	get ws(): AppSocket {
		return this.#ws as AppSocket;
	}

	/** The client's address; undefined if only its socket knows it. */
	get address(): string | undefined {
		const { address } = this.#slot;
		return isNetwork(address) ? undefined : address;
	}

	/** The connection slot that this session holds. */
	get slot(): Slot {
		return this.#slot;
	}

	/** The subprotocol that the server has confirmed, if any. */
	get subprotocol(): string | undefined {
		return this.#subprotocol;
	}

	/** Whether the upgrade is complete. */
	get isAttached(): boolean {
		return this.#ws !== undefined;
	}

	get isSpeaker(): boolean {
		return this.#subprotocol === SUBPROTOCOL;
	}

	/** Sets the socket, when the upgrade is complete. */
	attach(ws: AppSocket): void {
		this.#ws = ws;
	}

	get values(): object {
		this.#values ??= {};
		return this.#values;
	}

	admit(values: object, userId: string | undefined): void {
		this.#values = values;
		this.#setUserId(userId);
	}

	open(): void {
		this.#state = 'open';
		this.#wasOpened = true;
	}

	#setUserId(userId: string | undefined): void {
		if (userId !== undefined) (this as { userId?: string }).userId = userId;
	}

	get signal(): AbortSignal {
		this.#ended ??= new AbortController();
		if (this.#state === 'closed') this.#ended.abort(CONNECTION_ENDED);
		return this.#ended.signal;
	}

	stopAccepting(): void {
		if (this.#state !== 'closed') this.#state = 'closing';
	}

	end(code: number, reason: string): void {
		this.ws.close(code, reason);
	}

	/** Called when the server is about to close the connection. */
	beforeClosing(): void {
		this.#lingers = this.ws.getBufferedAmount() > 0;
	}

	/** Whether messages waited to be sent when the server closed the connection. Bun keeps them for a while. */
	get lingers(): boolean {
		return this.#lingers;
	}

	/** Called when the server closes the connection. Messages that are still queued are dropped. */
	closing(): void {
		this.#inbound?.drop();
		this.stopAccepting();
	}

	/** Called when the connection is gone. */
	closed(): void {
		this.#state = 'closed';
		if (!this.#wasOpened) this.#inbound?.drop();
		this.#ended?.abort(CONNECTION_ENDED);
	}

	get isDrained(): boolean {
		// If no message is running, no message is queued either.
		if (this.isBusy || (this.#opening !== undefined && this.#state !== 'closed')) return false;
		return this.#state === 'closed' || (this.#pendingAnswers === 0 && this.ws.getBufferedAmount() === 0);
	}

	// Inbound

	get inbound(): InboundMessages {
		if (this.#inbound === undefined) {
			this.#inbound = new InboundMessages(this, this.#host);
			if (this.#opening !== undefined) this.#inbound.begin(this.#opening);
		}
		return this.#inbound;
	}

	/** Called for each message from the client. */
	receive(frame: Frame): void {
		this.#lastSeen = this.#host.keepAlive.tick;
		if (this.#state !== 'closed') this.inbound.receive(frame);
	}

	/** Called for each ping from the client. Returns whether the connection is still open to its handlers. */
	receivePing(payload: FramePayload): boolean {
		this.#lastSeen = this.#host.keepAlive.tick;
		if (this.#state === 'closed' || !this.inbound.countControlFrame(payload)) return false;
		// Bun answers each ping. If the client does not read, the answers wait to be sent.
		this.checkBackpressure();
		return this.isOpen;
	}

	/**
	 * Called for each pong from the client. Answers to pings don't count towards the rate limit. Returns whether the
	 * connection is still open to its handlers.
	 */
	receivePong(payload: FramePayload): boolean {
		this.#lastSeen = this.#host.keepAlive.tick;
		if (this.#unansweredPings > 0) {
			this.#unansweredPings--;
			return this.isOpen;
		}
		return this.#state !== 'closed' && this.inbound.countControlFrame(payload) && this.isOpen;
	}

	releaseHeld(): void {
		this.#inbound?.releaseHeld();
	}

	waitFor(opening: object): void {
		this.#opening = opening;
		this.#inbound?.begin(opening);
	}

	waitedFor(opening: object): void {
		this.#opening = undefined;
		this.#inbound?.finished(opening);
	}

	whenAllStarted(then: () => void): void {
		if (this.#inbound === undefined) then();
		else this.#inbound.whenAllStarted(then);
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

	get grants(): Grants {
		return this.#grants;
	}

	set grants(grants: Grants) {
		this.#grants = grants;
	}

	get pendingAnswers(): number {
		return this.#pendingAnswers;
	}

	set pendingAnswers(value: number) {
		this.#pendingAnswers = value;
	}

	// Keep-alive

	get lastSeen(): number {
		return this.#lastSeen;
	}

	set lastSeen(tick: number) {
		this.#lastSeen = tick;
	}

	get pingGroup(): number {
		return this.#pingGroup;
	}

	set pingGroup(group: number) {
		this.#pingGroup = group;
	}

	/** Whether the endpoint or the application has paused reading. */
	get isUnread(): boolean {
		return this.ws.isPaused;
	}

	// Outbound

	send(frame: string): boolean {
		if (!this.isSpeaker) return true;
		if (this.#state === 'closed') return false;
		const isSent = (this.ws as unknown as FrameSender)[SEND_FRAME](frame) !== 0;
		if (!isSent) this.#hasDropped = true;
		return isSent;
	}

	ping(): void {
		this.ws.ping();
	}

	/** Called when the endpoint or the application has pinged the client. */
	pinged(): void {
		this.#unansweredPings++;
	}

	/** Ends the connection without a close frame, because its client does not respond. */
	cut(): void {
		this.ws.terminate();
	}

	get hasDropped(): boolean {
		return this.#hasDropped;
	}

	/**
	 * Called when something sent may be waiting because of backpressure. If too much is buffered, the client is treated
	 * as a slow reader.
	 */
	checkBackpressure(): void {
		if (this.ws.getBufferedAmount() > this.#host.limits.queuedBytes) this.#host.onSlowReader(this);
	}

	get droppingSince(): number | undefined {
		return this.#droppingSince;
	}

	set droppingSince(value: number | undefined) {
		this.#droppingSince = value;
	}
}

const NO_TOPICS: ReadonlySet<string> = new Set();
const CONNECTION_ENDED = new DOMException('The connection has ended', 'AbortError');
