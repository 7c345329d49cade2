import { now } from '../clock.ts';
import type {
	ArrivalReport,
	AwaitWork,
	BeginWork,
	ConnectReport,
	ConnectWork,
	DriveReport,
	DriveWork,
} from '../load/requests.ts';
import type { Load } from './load.ts';
import type { Node } from './node.ts';

let lastCrowd = 0;

/** The clients of one node, as the bench sees them; they live in a process of their own. */
export class Crowd {
	readonly #load: Load;
	readonly name: string;
	/** When the first handshake began, in nanoseconds. */
	readonly startedAt: number;
	/** How long it took until all were in their topics, in nanoseconds. */
	readonly tookNs: number;

	private constructor(load: Load, name: string, { startedAt }: ConnectReport, readyAt: number) {
		this.#load = load;
		this.name = name;
		this.startedAt = startedAt;
		this.tookNs = readyAt - startedAt;
	}

	/** Resolves when all clients are connected and in their topics. */
	static async connect(
		load: Load,
		node: Node,
		{ clients, atOnce = 100, query = '' }: Pick<ConnectWork, 'clients'> & { atOnce?: number; query?: string },
	): Promise<Crowd> {
		const name = `crowd ${++lastCrowd}`;
		const { port, path, hello } = node.description;
		const before = await node.ask<number>({ do: 'count-ready' });
		const work: ConnectWork = { crowd: name, port, path: path + query, hello, clients, atOnce };
		const connected = await load.ask<ConnectReport>({ do: 'connect', ...work });
		await node.untilReady(before + clients.length);
		return new Crowd(load, name, connected, now());
	}

	begin(work: Omit<BeginWork, 'crowd'>): Promise<void> {
		return this.#load.ask({ do: 'begin', crowd: this.name, ...work });
	}

	/** Waits for so many bytes; gives up when nothing has come for `stallMs`. */
	arrival(work: Omit<AwaitWork, 'crowd'>): Promise<ArrivalReport> {
		return this.#load.ask({ do: 'await', crowd: this.name, ...work });
	}

	/** Whatever is still on its way has arrived, or is not going to. */
	async quiet(): Promise<ArrivalReport> {
		return this.arrival({ bytes: Infinity, stallMs: QUIET_MS });
	}

	/** What the answer to a request comes to, in bytes. */
	async probe(request: string): Promise<number> {
		await this.#load.ask({ do: 'probe', crowd: this.name, request });
		return (await this.response()).bytes;
	}

	drive(work: Omit<DriveWork, 'crowd'>): Promise<DriveReport> {
		return this.#load.ask({ do: 'drive', crowd: this.name, ...work });
	}

	/** Waits for what was asked for or published: until it begins to come, and then until it is over. */
	async response(): Promise<ArrivalReport> {
		await this.arrival({ bytes: 1, stallMs: PATIENCE_MS });
		return this.quiet();
	}

	latencies(): Promise<number[]> {
		return this.#load.ask({ do: 'latencies', crowd: this.name });
	}

	close(): Promise<void> {
		return this.#load.ask({ do: 'close', crowd: this.name });
	}
}

const QUIET_MS = 200;
const PATIENCE_MS = 10_000;
