import { encodePositionNotice } from '../protocol/built-in.ts';
import { CloseCode } from '../protocol/closing.ts';
import type { Position } from '../protocol/position.ts';
import type { LocalFanout } from '../sockets/local-fanout.ts';
import { isSpeaker, type WebSocketConnection } from '../sockets/websocket-connection.ts';
import { sleep } from '../support/promises.ts';
import { size } from '../wire/payload.ts';
import type { Reader, Recovery } from './catch-up.ts';
import { type FirstPositions, positionNotice } from './first-positions.ts';
import type { Floor, Floors } from './floors.ts';
import { type Framed, type HistoryWindow, plainFormOf } from './history-window.ts';
import { isProvisional } from './provisional-epoch.ts';

/** The first delay between checks for buffer space, in milliseconds; doubles with each check. */
const FIRST_CHECK_MS = 2;
/** The longest delay between checks, in milliseconds. */
const LONGEST_CHECK_MS = 50;
/** How long to wait for space before the socket is closed, in milliseconds. */
const NO_ROOM_TIMEOUT_MS = 30_000;

export interface SocketReaderOptions {
	readonly local: LocalFanout;
	readonly firstPositions: FirstPositions;
	readonly floors: Floors;
	/** Whether the socket should still catch up. */
	readonly isWanted: () => boolean;
	/** Whether the socket may be sent messages from below its floor. */
	readonly isEntitled: boolean;
	/** Takes the place of the `@position` that is sent when the socket becomes live. */
	readonly onLive: ((position: Position) => void) | undefined;
}

/** Sends a topic's messages to a socket that is catching up, at the speed at which the client reads. */
export class SocketReader implements Reader {
	readonly #socket: WebSocketConnection;
	readonly #topic: string;
	readonly #options: SocketReaderOptions;

	constructor(socket: WebSocketConnection, topic: string, options: SocketReaderOptions) {
		this.#socket = socket;
		this.#topic = topic;
		this.#options = options;
	}

	get isActive(): boolean {
		return this.#options.isWanted() && this.#socket.readyState === WebSocket.OPEN;
	}

	get floor(): Floor | undefined {
		const { isEntitled, floors } = this.#options;
		return isEntitled ? undefined : floors.of(this.#socket, this.#topic);
	}

	send({ messages }: HistoryWindow, from: number): number {
		const socket = this.#socket;
		const { local } = this.#options;
		const isPlain = !isSpeaker(socket);
		let at = from;
		while (at < messages.length && this.isActive && local.hasRoom(socket)) {
			socket.cork(() => {
				let corked = 0;
				do {
					const message = messages[at++] as Framed;
					const form = isPlain ? plainFormOf(message) : message.frame;
					corked += size(form);
					local.toSocket(socket, form, true);
				} while (at < messages.length && local.hasRoom(socket, corked));
			});
		}
		return at - from;
	}

	async waitForRoom(): Promise<void> {
		const deadline = performance.now() + NO_ROOM_TIMEOUT_MS;
		let delay = FIRST_CHECK_MS;
		while (this.isActive && !this.#options.local.hasRoom(this.#socket)) {
			if (performance.now() > deadline) return this.closeAsTooSlow();
			await sleep(delay);
			delay = Math.min(LONGEST_CHECK_MS, delay * 2);
		}
	}

	rename(position: Position): void {
		this.#notify(positionNotice([this.#topic], { position, recovered: undefined, count: 0 }));
	}

	rewind({ epoch, offset }: Position, recovered: false | undefined): void {
		const notice = { topics: [this.#topic], epoch, offset, recovered, count: 0, rewinding: true };
		this.#notify(encodePositionNotice(notice));
	}

	goLive(recovery: Recovery, isTold: boolean): void {
		const [socket, topic] = [this.#socket, this.#topic];
		const { local, floors, firstPositions, onLive } = this.#options;
		local.subscribe(socket, topic);
		if (!isSpeaker(socket)) return;
		floors.live(socket, topic, recovery.position);
		if (onLive !== undefined) return onLive(recovery.position);
		const told = isTold ? { ...recovery, recovered: undefined } : recovery;
		if (isProvisional(recovery.position.epoch)) firstPositions.add(socket, topic, told);
		else this.#notify(positionNotice([topic], told));
	}

	/** Plain sockets receive messages only. */
	#notify(notice: string): void {
		if (isSpeaker(this.#socket)) this.#options.local.toSocket(this.#socket, notice, true);
	}

	closeAsTooSlow(): void {
		this.#socket.close(CloseCode.tryAgainLater, 'reads too slowly');
	}
}
