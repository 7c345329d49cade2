import { now } from '../clock.ts';
import type {
	ArrivalReport,
	WaitWork,
	CountWork,
	ConnectReport,
	ConnectWork,
	DriveReport,
	DriveWork,
} from '../load/requests.ts';
import type { Load } from './load.ts';
import type { Node } from './node.ts';

let lastGroup = 0;

/** A handle for clients of one node. The clients themselves run in the load process. */
export class ClientGroup {
	readonly #load: Load;
	readonly name: string;
	/** When the first handshake started, in nanoseconds. */
	readonly startedAt: number;
	/** The time it took until all clients were subscribed to their topics, in nanoseconds. */
	readonly tookNs: number;

	private constructor(load: Load, name: string, { startedAt }: ConnectReport, readyAt: number) {
		this.#load = load;
		this.name = name;
		this.startedAt = startedAt;
		this.tookNs = readyAt - startedAt;
	}

	/** Connects clients. Resolves when all of them are connected and subscribed to their topics. */
	static async connect(
		load: Load,
		node: Node,
		{ clients, concurrency = 100, query = '' }: Pick<ConnectWork, 'clients'> & { concurrency?: number; query?: string },
	): Promise<ClientGroup> {
		const name = `group ${++lastGroup}`;
		const { port, path, hello, compresses, hasBothKinds } = node.description;
		const before = await node.ask<number>({ do: 'count-ready' });
		const work: ConnectWork = {
			group: name,
			port,
			path: path + query,
			hello,
			compresses,
			hasBothKinds,
			clients,
			concurrency,
		};
		const connected = await load.ask<ConnectReport>({ do: 'connect', ...work });
		await node.untilReady(before + clients.length);
		return new ClientGroup(load, name, connected, now());
	}

	startCounting(work: Omit<CountWork, 'group'>): Promise<void> {
		return this.#load.ask({ do: 'start-counting', group: this.name, ...work });
	}

	/** Waits until `bytes` have arrived, or nothing has arrived for `stallMs`. */
	waitForBytes(work: Omit<WaitWork, 'group'>): Promise<ArrivalReport> {
		return this.#load.ask({ do: 'wait-for-bytes', group: this.name, ...work });
	}

	/** Waits until nothing more arrives. */
	async drain(): Promise<ArrivalReport> {
		return this.waitForBytes({ bytes: Infinity, stallMs: QUIET_MS });
	}

	/** Sends one request. Resolves with the size of its reply on the wire, in bytes. */
	async probe(request: string): Promise<number> {
		await this.#load.ask({ do: 'probe', group: this.name, request });
		return (await this.response()).bytes;
	}

	drive(work: Omit<DriveWork, 'group'>): Promise<DriveReport> {
		return this.#load.ask({ do: 'drive', group: this.name, ...work });
	}

	/** Waits for the first byte, then until nothing more arrives. */
	async response(): Promise<ArrivalReport> {
		await this.waitForBytes({ bytes: 1, stallMs: RESPONSE_TIMEOUT_MS });
		return this.drain();
	}

	latencies(): Promise<number[]> {
		return this.#load.ask({ do: 'latencies', group: this.name });
	}

	close(): Promise<void> {
		return this.#load.ask({ do: 'close', group: this.name });
	}
}

const QUIET_MS = 200;
const RESPONSE_TIMEOUT_MS = 10_000;
