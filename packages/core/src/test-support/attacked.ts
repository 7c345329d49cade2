import { connectClient, type ScriptProcess, spawnBun, until } from '@orijs/testkit';
import { expect } from 'vitest';
import type { Health } from './attacked-server.ts';

const MIB = 1024 * 1024;
/** How much memory an attack may leave behind or take while it lasts, over what the server has when nobody does anything. */
const MOST_GROWTH = 200 * MIB;
/** How long one answer to a good client may take while the server is attacked, in milliseconds. */
const SLOWEST_ANSWER_MS = 3_000;
/** So that a good client stays within its rate. */
const BETWEEN_REQUESTS_MS = 25;
const BETWEEN_LOOKS_MS = 20;
const CALM_TIMEOUT_MS = 8_000;

/** A server in a process of its own. */
export class Attacked {
	readonly process: ScriptProcess;
	#first: Health | undefined;

	constructor() {
		this.process = spawnBun(new URL('./attacked-server.ts', import.meta.url));
	}

	async start(): Promise<void> {
		this.#first = await this.health();
	}

	health(): Promise<Health> {
		return this.process.request<Health>('health');
	}

	get port(): number {
		return this.#first?.port ?? 0;
	}

	get url(): string {
		return `ws://localhost:${this.port}/ws`;
	}

	/** Attacks it, and sees to it that a good client next to that notices nothing and that the server is well, then and afterwards. */
	async survives(attack: () => Promise<void>): Promise<void> {
		const good = await connectClient(this.url, { timeoutMs: SLOWEST_ANSWER_MS });
		const over = new AbortController();
		let answers = 0;
		const useIt = async (): Promise<void> => {
			while (!over.signal.aborted) {
				const id = `good-${++answers}`;
				good.send(JSON.stringify({ type: 'echo', data: id, correlationId: id }));
				expect(JSON.parse(String(await good.next()))).toEqual({ type: 'echo', correlationId: id, data: id });
				await Bun.sleep(BETWEEN_REQUESTS_MS);
			}
		};
		const watchIt = async (): Promise<void> => {
			while (!over.signal.aborted) {
				this.#isWell(await this.health());
				await Bun.sleep(BETWEEN_LOOKS_MS);
			}
		};
		const attacking = attack().finally(() => over.abort());
		await Promise.all([attacking, useIt(), watchIt()]);
		this.#isWell(await this.health());
		expect(answers).toBeGreaterThan(0);
		await good.close();
	}

	/** Resolves once all connections are gone. */
	async calm(): Promise<void> {
		const isCalm = async (): Promise<boolean> => (await this.health()).connections === 0;
		await until(isCalm, { what: 'all connections are gone', timeoutMs: CALM_TIMEOUT_MS });
		this.#isWell(await this.health());
	}

	#isWell({ rss, failures, pollution }: Health): void {
		expect({ failures, pollution, state: this.process.state() }).toEqual({
			failures: [],
			pollution: [],
			state: 'running',
		});
		expect((rss - (this.#first?.rss ?? 0)) / MIB).toBeLessThan(MOST_GROWTH / MIB);
	}
}
