import type { Socket } from 'bun';
import { now } from '../clock.ts';
import { clientFrame, FrameCounter, handshake, PONG } from './frames.ts';
import type {
	ArrivalReport,
	WaitWork,
	CountWork,
	ConnectReport,
	ConnectWork,
	DriveReport,
	DriveWork,
} from './requests.ts';
import { stamp } from './stamp.ts';

const END_OF_HEADERS = '\r\n\r\n';
const HEAD_BYTES = 256;

interface Client {
	isOpen: boolean;
	/** The number of reply bytes received in the current drive. */
	received: number;
	/** The number of requests sent in the current drive. */
	sent: number;
	/** The beginning of an incomplete message; only set while latencies are measured. */
	rest: Uint8Array | undefined;
	/** Counts frames; only set while messages are counted instead of bytes. */
	frames: FrameCounter | undefined;
}

/** A run in which all clients send requests. */
interface Drive {
	readonly work: DriveWork;
	readonly frame: Buffer;
	/** The number of clients that are still waiting for replies. */
	busy: number;
	readonly done: () => void;
}

type ClientSocket = Socket<Client>;

/**
 * WebSocket clients of one server that do as little as possible, so that the server is measured and not the clients.
 * They use plain TCP, and count bytes without parsing them.
 */
export class RawClients {
	readonly #sockets: ClientSocket[] = [];
	#lastKeepAlive = performance.now();
	#bytes = 0;
	#lastAt = 0;
	#head: Buffer = Buffer.alloc(0);
	#target = Infinity;
	#reached: (() => void) | undefined;
	#credit: Socket | undefined;
	#confirmEach = Infinity;
	#confirmed = 0;
	#stamped: CountWork['stamped'];
	#messageBytes: number | undefined;
	#latencies: number[] = [];
	#drive: Drive | undefined;

	async connect(work: ConnectWork): Promise<ConnectReport> {
		const { clients, concurrency } = work;
		const startedAt = now();
		let next = 0;
		const connectInTurn = async (): Promise<void> => {
			for (let index = next++; index < clients.length; index = next++) await this.#connectOne(work, index);
		};
		await Promise.all(Array.from({ length: concurrency }, connectInTurn));
		return { startedAt, endedAt: now(), connected: this.#sockets.length };
	}

	async #connectOne(work: ConnectWork, index: number): Promise<void> {
		const { port, path, hello, compresses, hasBothKinds } = work;
		const topics = work.clients[index] ?? [];
		const query = topics.length === 0 ? '' : `${path.includes('?') ? '&' : '?'}topics=${topics.join(',')}`;
		const opened = Promise.withResolvers<void>();
		let head: Buffer = Buffer.alloc(0);
		const socket: ClientSocket = await Bun.connect<Client>({
			hostname: '127.0.0.1',
			port,
			data: { isOpen: false, received: 0, sent: 0, rest: undefined, frames: undefined },
			socket: {
				data: (socket, chunk) => {
					if (socket.data.isOpen) return this.#onData(socket, chunk);
					head = Buffer.concat([head, chunk]);
					const end = head.indexOf(END_OF_HEADERS);
					if (end < 0) return;
					if (!head.toString('latin1').startsWith('HTTP/1.1 101')) {
						opened.reject(new Error(`Handshake refused: ${head.toString('latin1', 0, 200)}`));
						return;
					}
					socket.data.isOpen = true;
					if (hello !== undefined) socket.write(clientFrame(hello));
					opened.resolve();
					// The first messages can arrive together with the headers.
					const first = head.subarray(end + END_OF_HEADERS.length);
					if (first.length > 0) this.#onData(socket, first);
				},
				close: () => opened.reject(new Error('Closed during the handshake')),
				error: (_, error) => opened.reject(error),
			},
		});
		socket.setNoDelay(true);
		socket.write(handshake(port, path + query, { compresses, isPlain: hasBothKinds && index % 2 === 1 }));
		await opened.promise;
		this.#sockets.push(socket);
	}

	/** Counts the bytes that arrive from now on. */
	async startCounting({ creditPort, confirmEach, messageBytes, stamped }: CountWork): Promise<void> {
		this.#keepAlive();
		this.#credit ??= await Bun.connect({ hostname: '127.0.0.1', port: creditPort, socket: { data() {} } });
		this.#credit.setNoDelay(true);
		this.#bytes = 0;
		this.#confirmed = 0;
		this.#confirmEach = confirmEach;
		this.#head = Buffer.alloc(0);
		this.#messageBytes = messageBytes;
		this.#stamped = stamped;
		this.#latencies = [];
		for (const { data } of this.#sockets) {
			data.rest = undefined;
			data.frames = messageBytes === undefined ? undefined : new FrameCounter();
		}
	}

	async waitForBytes({ bytes, stallMs }: WaitWork): Promise<ArrivalReport> {
		let before = -1;
		while (this.#bytes < bytes && this.#bytes !== before) {
			before = this.#bytes;
			const reached = Promise.withResolvers<void>();
			this.#target = bytes;
			this.#reached = reached.resolve;
			const timer = setTimeout(reached.resolve, stallMs);
			await reached.promise;
			clearTimeout(timer);
		}
		this.#target = Infinity;
		return { bytes: this.#bytes, lastAt: this.#lastAt, head: this.#head };
	}

	latencies(): number[] {
		return this.#latencies;
	}

	/** Sends a single request. */
	probe(request: string): void {
		this.#bytes = 0;
		this.#sockets[0]?.write(clientFrame(request));
	}

	async drive(work: DriveWork): Promise<DriveReport> {
		const frame = clientFrame(work.request);
		const finished = Promise.withResolvers<void>();
		this.#head = Buffer.alloc(0);
		this.#bytes = 0;
		this.#confirmEach = Infinity;
		this.#messageBytes = undefined;
		this.#stamped = undefined;
		this.#drive = { work, frame, busy: this.#sockets.length, done: finished.resolve };
		const startedAt = now();
		const batch = Buffer.concat(Array.from({ length: work.inFlight }, () => frame));
		for (const socket of this.#sockets) {
			socket.data.received = 0;
			socket.data.sent = work.inFlight;
			socket.write(batch);
		}
		const timer = setTimeout(finished.resolve, DRIVE_TIMEOUT_MS);
		await finished.promise;
		clearTimeout(timer);
		this.#drive = undefined;
		return { startedAt, endedAt: this.#lastAt, bytes: this.#bytes };
	}

	close(): void {
		for (const socket of this.#sockets.splice(0)) socket.terminate();
		this.#credit?.end();
		this.#credit = undefined;
	}

	/** Sends unsolicited pongs, because servers close clients that stay silent for too long. */
	#keepAlive(): void {
		const time = performance.now();
		if (time - this.#lastKeepAlive < KEEP_ALIVE_MS) return;
		this.#lastKeepAlive = time;
		for (const socket of this.#sockets) socket.write(PONG);
	}

	#onData(socket: ClientSocket, chunk: Buffer): void {
		this.#bytes += this.#countedBytes(socket.data, chunk);
		if (this.#head.length < HEAD_BYTES) this.#head = Buffer.concat([this.#head, chunk.subarray(0, HEAD_BYTES)]);
		if (this.#stamped !== undefined) this.#readStamps(socket.data, chunk, this.#stamped);
		if (this.#drive !== undefined) this.#sendMore(socket, chunk, this.#drive);
		if (this.#bytes - this.#confirmed >= this.#confirmEach) {
			this.#confirmed = this.#bytes;
			this.#credit?.write(`${this.#bytes}\n`);
		}
		this.#lastAt = now();
		if (this.#bytes >= this.#target) this.#reached?.();
	}

	#countedBytes({ frames }: Client, chunk: Buffer): number {
		if (this.#messageBytes === undefined || frames === undefined) return chunk.length;
		return frames.countIn(chunk) * this.#messageBytes;
	}

	#readStamps(client: Client, chunk: Buffer, { wireBytes, offset }: NonNullable<CountWork['stamped']>): void {
		const time = now();
		const bytes = client.rest === undefined ? chunk : Buffer.concat([client.rest, chunk]);
		let at = 0;
		for (; at + wireBytes <= bytes.length; at += wireBytes) {
			this.#latencies.push(time - stamp.readBytes(bytes, at + offset));
		}
		client.rest = at < bytes.length ? new Uint8Array(bytes.subarray(at)) : undefined;
	}

	/** Sends a new request for each reply that has arrived. */
	#sendMore(socket: ClientSocket, chunk: Buffer, drive: Drive): void {
		const { perClient, replyBytes, inFlight } = drive.work;
		const client = socket.data;
		client.received += chunk.length;
		const answered = Math.floor(client.received / replyBytes);
		const more = Math.min(answered + inFlight, perClient) - client.sent;
		if (more > 0) {
			client.sent += more;
			socket.write(more === 1 ? drive.frame : Buffer.concat(Array.from({ length: more }, () => drive.frame)));
		}
		if (client.received === perClient * replyBytes && --drive.busy === 0) drive.done();
	}
}

const KEEP_ALIVE_MS = 20_000;
const DRIVE_TIMEOUT_MS = 20_000;
