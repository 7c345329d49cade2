import { createPipe } from './tcp-pipe.ts';
import type { Ending, Pipe } from './tcp-pipe.ts';

const REMEMBERED_BYTES = 4096;

export type Direction = 'toServer' | 'toClient';

export interface FreezeOptions {
	/** The direction to freeze. Default: both. */
	direction?: Direction;
}

export interface ThawOptions {
	/**
	 * What to do with the bytes held while frozen. Default `deliver`. `drop` loses messages while the connection stays
	 * open. This never happens on a real network, because TCP loses no bytes from the middle of a stream. `drop`
	 * discards everything that the proxy has read. If a message is split by the freeze, the receiver gets garbage, so
	 * freeze and thaw while no message is in transit.
	 */
	held?: 'deliver' | 'drop';
}

/** One connection through the proxy. */
export interface ProxyLink {
	/** The number of the link, counted from 1 in the order in which clients connect. */
	readonly id: number;
	/** When the link was opened, in milliseconds since the epoch. */
	readonly openedAt: number;
	/** The first 4 KiB that the client sent, one character per byte; see `hasSent`. */
	readonly sent: string;
	/** The number of bytes read but not yet forwarded, in both directions together. */
	readonly held: number;
	/** Closes both sides, frozen or not, and drops held bytes. `reset` (the default) sends an RST, `end` a FIN. */
	cut(how?: Ending): void;
	/** Stops forwarding bytes, FINs and RSTs, without either side noticing. */
	freeze(options?: FreezeOptions): void;
	/**
	 * Forwards again, in both directions. With `drop`, throws if more than `holdBytes` has arrived, because only a part
	 * of it could then be dropped.
	 */
	thaw(options?: ThawOptions): void;
}

export interface Target {
	readonly host: string;
	readonly port: number;
}

type Socket = Bun.Socket<unknown>;

export interface LinkOptions {
	id: number;
	client: Socket;
	target: Target;
	holdBytes: number;
	/** The directions that are frozen from the start. */
	frozen: Iterable<Direction>;
	/** The limits of the rate; `undefined` for none. */
	bytesPerSecond: Readonly<Record<Direction, number | undefined>>;
	/** The delay of forwarded bytes, in milliseconds. */
	delays: Readonly<Record<Direction, number>>;
	/** Called when both sides are closed. */
	onEnd: () => void;
}

/** A link as used by the proxy, with handlers for the events of the client's socket. */
export interface DrivenLink extends ProxyLink {
	throttle(direction: Direction, bytesPerSecond: number | undefined): void;
	delay(direction: Direction, ms: number): void;
	clientSent(bytes: Buffer): void;
	clientDrained(): void;
	clientEnded(): void;
	clientClosed(how: Ending): void;
}

/**
 * Creates a link and connects it to the target: immediately or, if it starts frozen towards the server, once it is
 * thawed.
 */
export function createLink({ id, client, target, holdBytes, ...options }: LinkOptions): DrivenLink {
	let server: Socket | undefined;
	let connecting = false;
	const closed = { client: false, server: false };
	let ended = false;
	let sent = '';

	const pipes: Record<Direction, Pipe> = {
		toServer: createPipe({ source: () => client, sink: () => server }, holdBytes),
		toClient: createPipe({ source: () => server, sink: () => client }, holdBytes),
	};
	const frozen = new Set(options.frozen);

	const end = (): void => {
		if (ended) return;
		ended = true;
		for (const pipe of Object.values(pipes)) pipe.close();
		options.onEnd();
	};

	const closeSide = (side: 'client' | 'server', how: Ending): void => {
		if (ended) return;
		closed[side] = true;
		const [from, to] = side === 'client' ? [pipes.toServer, pipes.toClient] : [pipes.toClient, pipes.toServer];
		from.finish(how);
		to.pump(); // Lets the pipe detect that its sink is gone.
		if (closed.client && (closed.server || (!server && !connecting))) end();
	};

	const connect = async (): Promise<void> => {
		connecting = true;
		await Bun.connect({
			hostname: target.host,
			port: target.port,
			// Without this, the connection would also stop sending to the server when it receives the server's FIN.
			allowHalfOpen: true,
			socket: {
				open(socket) {
					server = socket;
					if (ended) socket.terminate();
					else pipes.toServer.pump();
				},
				data: (_, bytes) => pipes.toClient.push(bytes),
				drain: () => pipes.toServer.pump(),
				end: () => pipes.toClient.finish('end'),
				close: (_, error) => closeSide('server', error ? 'reset' : 'end'),
			},
		});
	};

	const connectWhenThawed = (): void => {
		if (connecting || ended || closed.client || frozen.has('toServer')) return;
		// The client is already connected, so a reset is as close as possible to a refused connection.
		connect().catch(() => closeSide('server', 'reset'));
	};

	for (const direction of frozen) pipes[direction].freeze();
	for (const direction of directionsOf()) {
		pipes[direction].delay(options.delays[direction]);
		pipes[direction].throttle(options.bytesPerSecond[direction]);
	}
	connectWhenThawed();

	return {
		id,
		openedAt: Date.now(),
		get sent() {
			return sent;
		},
		get held() {
			return pipes.toServer.held + pipes.toClient.held;
		},
		cut(how = 'reset') {
			end();
			for (const socket of [client, server]) {
				if (how === 'end') socket?.end();
				else socket?.terminate();
			}
		},
		freeze(freezing) {
			for (const direction of directionsOf(freezing)) {
				frozen.add(direction);
				pipes[direction].freeze();
			}
		},
		thaw({ held = 'deliver' } = {}) {
			if (held === 'drop') dropHeld();
			frozen.clear();
			connectWhenThawed();
			for (const pipe of Object.values(pipes)) pipe.thaw();
		},
		throttle: (direction, bytesPerSecond) => pipes[direction].throttle(bytesPerSecond),
		delay: (direction, ms) => pipes[direction].delay(ms),
		clientSent(bytes) {
			if (sent.length < REMEMBERED_BYTES) sent += bytes.toString('latin1', 0, REMEMBERED_BYTES - sent.length);
			pipes.toServer.push(bytes);
		},
		clientDrained: () => pipes.toClient.pump(),
		clientEnded: () => pipes.toServer.finish('end'),
		clientClosed: (how) => closeSide('client', how),
	};

	function dropHeld(): void {
		const held = [...frozen].map((direction) => pipes[direction]);
		if (held.some((pipe) => pipe.full)) {
			throw new Error(
				`link ${id} received more than it can hold (${holdBytes} bytes): only a part could be dropped; raise holdBytes`,
			);
		}
		for (const pipe of held) pipe.drop();
	}
}

export function directionsOf({ direction }: FreezeOptions = {}): readonly Direction[] {
	return direction ? [direction] : ['toServer', 'toClient'];
}
