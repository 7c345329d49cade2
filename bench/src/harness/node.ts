import { type ScriptProcess, until } from '@orijs/testkit';
import type { SubjectDescription, SubjectRequest } from '../subjects/requests.ts';
import type { ProcessSettings, SubjectKind } from './subject-kind.ts';

const REQUEST_TIMEOUT_MS = 120_000;

/** A running server process of a subject. */
export class Node {
	readonly #name: string;
	readonly #process: ScriptProcess;
	readonly description: SubjectDescription;

	private constructor(name: string, process: ScriptProcess, description: SubjectDescription) {
		this.#name = name;
		this.#process = process;
		this.description = description;
	}

	static async start(kind: SubjectKind, settings: ProcessSettings): Promise<Node> {
		const process = await kind.start(settings);
		const description = await process.request<SubjectDescription>({ do: 'describe' } satisfies SubjectRequest);
		return new Node(kind.name, process, description);
	}

	get pid(): number {
		if (this.#process.state() === 'ended') throw new Error(`${this.#name} exited:\n${this.#process.output()}`);
		return this.#process.pid;
	}

	ask<Reply>(request: SubjectRequest): Promise<Reply> {
		return this.#process.request<Reply>(request, REQUEST_TIMEOUT_MS);
	}

	async untilReady(clients: number): Promise<void> {
		await until(async () => (await this.ask<number>({ do: 'count-ready' })) >= clients, {
			what: `${clients} clients are subscribed to their topics`,
			timeoutMs: 60_000,
		});
	}

	async stop(): Promise<void> {
		this.#process.kill('SIGKILL');
		await this.#process.exited;
	}
}
