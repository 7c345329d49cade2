import { type FakeClock, type ScriptProcess, spawnBun } from '@orijs/testkit';
import type { NodeRequest, NodeSettings } from '../node/protocol.ts';
import type { NodeName } from '../settings.ts';

const SCRIPT = new URL('../node/main.ts', import.meta.url);
/** How soon a process that could not start is started again, in milliseconds. */
const RESTART_MS = 200;
/** How long a start may take while Redis can be reached, in milliseconds. */
const START_MS = 20_000;
/** How long an orderly stop may take before it counts as hanging, in milliseconds. */
const STOP_MS = 20_000;

export interface NodeOptions {
	readonly name: NodeName;
	readonly port: number;
	readonly redisPort: number;
	readonly clock: FakeClock;
	readonly seed: number;
	readonly collectBeatsAbove: number;
	/** Returns the path of a process's journal. */
	readonly journalOf: (process: string) => string;
}

/** A node, whose process is started again until it is stopped on purpose. */
export class SupervisedNode {
	readonly name: NodeName;
	readonly port: number;
	/** The processes so far: `a1`, `a2`. */
	readonly processes: string[] = [];
	/** Processes that ended without being told to, once they had started. */
	readonly crashes: string[] = [];
	readonly #options: NodeOptions;
	#process: ScriptProcess | undefined;
	/** Resolves when the process that is wanted has started; undefined while none is. */
	#started: Promise<void> | undefined;
	#isWanted = false;

	constructor(options: NodeOptions) {
		this.name = options.name;
		this.port = options.port;
		this.#options = options;
	}

	/** Whether a process has started, and has not been told to end. */
	isUp = false;

	/** The present process, as in `processes`. */
	get current(): string {
		return this.processes.at(-1) ?? '';
	}

	/** Resolves when it listens, however often it has to be started. Two faults of one node may overlap. */
	async start(): Promise<void> {
		if (!this.#isWanted) {
			this.#isWanted = true;
			this.#started = this.#run(this.#started);
		}
		await this.#started;
	}

	/** Resolves once it has started. */
	async up(): Promise<void> {
		await this.#started;
	}

	async kill(): Promise<void> {
		await this.#end((process) => process.kill());
	}

	/** Sends SIGTERM; resolves when the process has ended. Kills it, and counts as a crash, if it does not. */
	async stop(): Promise<void> {
		await this.#end((process) => process.kill('SIGTERM'));
	}

	freeze(): void {
		this.#process?.freeze();
	}

	thaw(): void {
		this.#process?.thaw();
	}

	ask<Reply>(request: NodeRequest, timeoutMs: number = START_MS): Promise<Reply> {
		if (this.#process === undefined) return Promise.reject(new Error(`node ${this.name} has no process`));
		return this.#process.request<Reply>(request, timeoutMs);
	}

	/** Asks without waiting for the answer: the process may be frozen, or be killed meanwhile. */
	tell(request: NodeRequest): void {
		this.ask(request).catch(() => {});
	}

	/** @param earlier ends first */
	async #run(earlier?: Promise<void>): Promise<void> {
		await earlier;
		while (this.#isWanted) {
			const child = this.#spawn();
			const process = this.current;
			try {
				await child.request({ do: 'start' } satisfies NodeRequest, START_MS);
			} catch {
				// It could not reach Redis, or was killed. One that hangs is killed now.
				child.kill();
				await child.exited;
				await Bun.sleep(RESTART_MS);
				continue;
			}
			this.isUp = this.#isWanted;
			void child.exited.then(({ code, signal }) => {
				if (this.#process !== child || !this.#isWanted) return;
				this.isUp = false;
				this.crashes.push(`${process} ended with ${signal ?? code}\n${child.output()}`);
				this.#started = this.#run();
			});
			return;
		}
	}

	async #end(how: (process: ScriptProcess) => void): Promise<void> {
		const process = this.#process;
		this.#isWanted = false;
		this.isUp = false;
		if (process === undefined) return;
		how(process);
		const isLate = Symbol('late');
		const ended = await Promise.race([process.exited, Bun.sleep(STOP_MS).then(() => isLate)]);
		if (ended === isLate) {
			this.crashes.push(`${this.current} did not stop within ${STOP_MS} ms\n${process.output()}`);
			process.kill();
		}
		await this.#started;
	}

	#spawn(): ScriptProcess {
		const { name, port, redisPort, clock, seed, collectBeatsAbove, journalOf } = this.#options;
		const process = `${name}${this.processes.length + 1}`;
		this.processes.push(process);
		const settings: NodeSettings = {
			name,
			process,
			port,
			redisPort,
			journal: journalOf(process),
			seed: seed + this.processes.length,
			collectBeatsAbove,
		};
		this.#process = spawnBun(SCRIPT, { env: { ...clock.env, MODEL_NODE: JSON.stringify(settings) } });
		return this.#process;
	}
}
