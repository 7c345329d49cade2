import { connectSpeaker, type ScriptProcess, spawnBun, until } from '@orijs/testkit';
import { expect } from 'vitest';
import type { Health } from './attack-target-process.ts';

const MIB = 1024 * 1024;
/** How far the server's memory may grow above its idle level during and after an attack, in bytes. */
const MAX_GROWTH = 200 * MIB;
/** How long an answer to the well-behaved client may take during an attack, in milliseconds. */
const ANSWER_TIMEOUT_MS = 3_000;
/** The delay between the well-behaved client's requests, in milliseconds. It keeps the client within its rate limit. */
const BETWEEN_REQUESTS_MS = 25;
const HEALTH_CHECK_MS = 20;
const IDLE_TIMEOUT_MS = 8_000;

/** A server to be attacked, in its own process. */
export class AttackTarget {
	readonly process: ScriptProcess;
	#atStart: Health | undefined;

	constructor() {
		this.process = spawnBun(new URL('./attack-target-process.ts', import.meta.url));
	}

	async start(): Promise<void> {
		this.#atStart = await this.health();
	}

	health(): Promise<Health> {
		return this.process.request<Health>('health');
	}

	get port(): number {
		return this.#atStart?.port ?? 0;
	}

	get url(): string {
		return `ws://localhost:${this.port}/ws`;
	}

	/**
	 * Runs an attack. Checks, both during and after it, that a well-behaved client is unaffected and the server is
	 * healthy.
	 */
	async survives(attack: () => Promise<void>): Promise<void> {
		const good = await connectSpeaker(this.url, { timeoutMs: ANSWER_TIMEOUT_MS });
		const over = new AbortController();
		let answers = 0;
		const useServer = async (): Promise<void> => {
			while (!over.signal.aborted) {
				const id = `good-${++answers}`;
				good.send(JSON.stringify({ type: 'echo', data: id, correlationId: id }));
				expect(JSON.parse(String(await good.next()))).toEqual({ type: 'echo', correlationId: id, data: id });
				await Bun.sleep(BETWEEN_REQUESTS_MS);
			}
		};
		const checkHealth = async (): Promise<void> => {
			while (!over.signal.aborted) {
				this.#expectHealthy(await this.health());
				await Bun.sleep(HEALTH_CHECK_MS);
			}
		};
		const attacking = attack().finally(() => over.abort());
		await Promise.all([attacking, useServer(), checkHealth()]);
		this.#expectHealthy(await this.health());
		expect(answers).toBeGreaterThan(0);
		await good.close();
	}

	/** Resolves once all connections are closed. */
	async idle(): Promise<void> {
		const isIdle = async (): Promise<boolean> => (await this.health()).connections === 0;
		await until(isIdle, { what: 'all connections are closed', timeoutMs: IDLE_TIMEOUT_MS });
		this.#expectHealthy(await this.health());
	}

	#expectHealthy({ rss, failures, pollution }: Health): void {
		expect({ failures, pollution, state: this.process.state() }).toEqual({
			failures: [],
			pollution: [],
			state: 'running',
		});
		expect((rss - (this.#atStart?.rss ?? 0)) / MIB).toBeLessThan(MAX_GROWTH / MIB);
	}
}
