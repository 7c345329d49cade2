import type { ArrivalReport, AwaitWork, BeginWork, ConnectReport, ConnectWork } from '../load/requests.ts';
import type { Bench } from './bench.ts';
import type { Node } from './node.ts';

let lastCrowd = 0;

/** The clients of one node, as the bench sees them; they live in the load process. */
export class Crowd {
	readonly #bench: Bench;
	readonly name: string;
	readonly connected: ConnectReport;

	private constructor(bench: Bench, name: string, connected: ConnectReport) {
		this.#bench = bench;
		this.name = name;
		this.connected = connected;
	}

	/** Resolves when all clients are connected and in their topics. */
	static async connect(
		bench: Bench,
		node: Node,
		{ clients, atOnce = 100 }: Pick<ConnectWork, 'clients'> & { atOnce?: number },
	): Promise<Crowd> {
		const name = `crowd ${++lastCrowd}`;
		const { port, path, hello } = node.description;
		const work: ConnectWork = { crowd: name, port, path, hello, clients, atOnce };
		const connected = await bench.ask<ConnectReport>({ do: 'connect', ...work });
		await node.untilReady(clients.length);
		return new Crowd(bench, name, connected);
	}

	begin(work: Omit<BeginWork, 'crowd'>): Promise<void> {
		return this.#bench.ask({ do: 'begin', crowd: this.name, ...work });
	}

	/** Waits for so many bytes; gives up when nothing has come for `stallMs`. */
	arrival(work: Omit<AwaitWork, 'crowd'>): Promise<ArrivalReport> {
		return this.#bench.ask({ do: 'await', crowd: this.name, ...work });
	}

	/** Whatever is still on its way has arrived, or is not going to. */
	async quiet(): Promise<ArrivalReport> {
		return this.arrival({ bytes: Infinity, stallMs: QUIET_MS });
	}

	latencies(): Promise<number[]> {
		return this.#bench.ask({ do: 'latencies', crowd: this.name });
	}

	close(): Promise<void> {
		return this.#bench.ask({ do: 'close', crowd: this.name });
	}
}

const QUIET_MS = 150;
