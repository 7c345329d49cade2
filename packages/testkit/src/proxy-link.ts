import { createPipe } from './tcp-pipe.ts';
import type { Ending, Pipe } from './tcp-pipe.ts';

const REMEMBERED_BYTES = 4096;

export type Direction = 'toServer' | 'toClient';

export interface FreezeOptions {
	/** Default: both. */
	direction?: Direction;
}

export interface ThawOptions {
	/**
	 * What to do with the bytes held meanwhile; default `deliver`. `drop` is a fault no network has, as TCP loses nothing
	 * from the middle: messages vanish and the connection lives. It works on what was read, so a message that arrived in
	 * two reads around the freeze is cut, and the receiver sees garbage: freeze and thaw when nothing is on its way.
	 */
	held?: 'deliver' | 'drop';
}

/** One connection through the proxy. */
export interface ProxyLink {
	/** Counts from 1, in the order of arrival. */
	readonly id: number;
	/** Milliseconds since the epoch. */
	readonly openedAt: number;
	/** The first 4 KiB that the client sent, a character for a byte; see `hasSent`. */
	readonly sent: string;
	/** Bytes that were read and not passed on yet, both directions together. */
	readonly held: number;
	/** Ends it on both sides, frozen or not; what is held is lost. Default `reset` (RST); `end` is a FIN. */
	cut(how?: Ending): void;
	/** Passes nothing on, neither bytes nor an end of either side: nobody notices. */
	freeze(options?: FreezeOptions): void;
	/** Throws where `drop` can't be done whole, as more than `holdBytes` has come. */
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
	/** Directions that are frozen from the start. */
	frozen: Iterable<Direction>;
	bytesPerSecond: number | undefined;
	/** Both sides are closed. */
	onEnd: () => void;
}

/** A link, and what the events of its client's socket do to it. */
export interface DrivenLink extends ProxyLink {
	throttle(bytesPerSecond: number | undefined): void;
	clientSent(bytes: Buffer): void;
	clientDrained(): void;
	clientEnded(): void;
	clientClosed(how: Ending): void;
}

/** Connects to the target at once, or, when it starts out frozen towards it, once it is thawed. */
export function createLink({ id, client, target, holdBytes, ...options }: LinkOptions): DrivenLink {
	let server: Socket | undefined;
	let connecting = false;
	const closed = { client: false, server: false };
	let over = false;
	let sent = '';

	const pipes: Record<Direction, Pipe> = {
		toServer: createPipe({ source: () => client, sink: () => server }, holdBytes),
		toClient: createPipe({ source: () => server, sink: () => client }, holdBytes),
	};
	const frozen = new Set(options.frozen);

	const end = (): void => {
		if (over) return;
		over = true;
		for (const pipe of Object.values(pipes)) pipe.close();
		options.onEnd();
	};

	const closeSide = (side: 'client' | 'server', how: Ending): void => {
		if (over) return;
		closed[side] = true;
		const [from, to] = side === 'client' ? [pipes.toServer, pipes.toClient] : [pipes.toClient, pipes.toServer];
		from.finish(how);
		to.pump(); // It finds its sink gone.
		if (closed.client && (closed.server || (!server && !connecting))) end();
	};

	const connect = async (): Promise<void> => {
		connecting = true;
		await Bun.connect({
			hostname: target.host,
			port: target.port,
			// Or an end of its sending would end ours as well.
			allowHalfOpen: true,
			socket: {
				open(socket) {
					server = socket;
					if (over) socket.terminate();
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
		if (connecting || over || closed.client || frozen.has('toServer')) return;
		// The nearest to a refusal that is left, as the client is connected already.
		connect().catch(() => closeSide('server', 'reset'));
	};

	for (const direction of frozen) pipes[direction].freeze();
	pipes.toClient.throttle(options.bytesPerSecond);
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
			for (const one of directionsOf(freezing)) {
				frozen.add(one);
				pipes[one].freeze();
			}
		},
		thaw({ held = 'deliver' } = {}) {
			if (held === 'drop') dropHeld();
			frozen.clear();
			connectWhenThawed();
			for (const pipe of Object.values(pipes)) pipe.thaw();
		},
		throttle: (bytesPerSecond) => pipes.toClient.throttle(bytesPerSecond),
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
			throw new Error(`link ${id} got more than it holds (${holdBytes} bytes): dropping would cut; raise holdBytes`);
		}
		for (const pipe of held) pipe.drop();
	}
}

export function directionsOf({ direction }: FreezeOptions = {}): readonly Direction[] {
	return direction ? [direction] : ['toServer', 'toClient'];
}
