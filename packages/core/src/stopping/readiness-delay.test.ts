import { connectSpeaker, until } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import { type SignalledProcess, startSignalledProcess } from '../test-support/start-signalled-process.ts';
import { answersOf, sendTyped } from '../test-support/typed-client.ts';

const PROBE_EVERY_MS = 1_000;

describe('SIGTERM', () => {
	it('is noticed by a balancer that probes once a second, while everything is still served', async () => {
		const node = await startSignalledProcess({ readinessDelayMs: null });
		const { http, ws } = await addressOf(node);
		const probes: number[] = [];
		const probe = async (): Promise<number> => {
			const status = await statusOf(`${http}/readyz`);
			probes.push(status);
			return status;
		};
		expect(await probe()).toBe(200);

		node.process.kill('SIGTERM');
		do await Bun.sleep(PROBE_EVERY_MS);
		while ((await probe()) === 200 && probes.length < 10);
		expect(probes).toEqual([200, 503]);

		await node.ask({ do: 'releaseHandlers' });
		expect(await (await fetch(http)).text()).toBe('served');
		const late = await connectSpeaker(ws);
		for (const client of [node.clients[0]!, late]) {
			sendTyped(client, 'job', null, 'late');
			await until(() => answersOf(client).length > 0, { what: 'the message is handled' });
			expect(answersOf(client)).toEqual([['late', 'done']]);
		}
		expect(await node.ask({ do: 'isStopping' })).toEqual([true]);

		for (const { closed } of [node.clients[0]!, late]) expect(await closed).toMatchObject({ code: 1012 });
		expect(await node.process.exited).toEqual({ code: 0, signal: null });
	}, 20_000);

	it('again during the delay, exits with 1 at once', async () => {
		const node = await startSignalledProcess({ readinessDelayMs: 60_000 });
		node.process.kill('SIGTERM');
		await node.wrote('No longer ready; serving for another 60000 ms before stopping');
		// Signals within 300 ms count as one.
		await Bun.sleep(400);
		node.process.kill('SIGTERM');

		expect(await node.process.exited).toEqual({ code: 1, signal: null });
	});

	it('stops at once with a readinessDelayMs of 0, as SIGINT and stop() always do', async () => {
		const stopped = await Promise.all([
			startSignalledProcess({ readinessDelayMs: 0 }).then(async (node) => {
				node.process.kill('SIGTERM');
				return node;
			}),
			startSignalledProcess({ readinessDelayMs: 60_000 }).then(async (node) => {
				node.process.kill('SIGINT');
				return node;
			}),
		]);
		for (const { process, clients } of stopped) {
			expect(await clients[0]!.closed).toMatchObject({ code: 1012 });
			expect(await process.exited).toEqual({ code: 0, signal: null });
			expect(process.output()).not.toContain('No longer ready');
		}

		const node = await startSignalledProcess({ readinessDelayMs: 60_000 });
		await node.ask({ do: 'stop', count: 1 });
		expect(await node.clients[0]!.closed).toMatchObject({ code: 1012 });
	});

	it('delays all applications of the process together, not one after the other', async () => {
		const node = await startSignalledProcess({ applications: 2, readinessDelayMs: 1_500 });
		const ports = await node.ask<number[]>({ do: 'ports' });
		node.process.kill('SIGTERM');
		await node.wrote('No longer ready');
		for (const port of ports) expect(await statusOf(`http://localhost:${port}/readyz`)).toBe(503);

		expect(await node.process.exited).toEqual({ code: 0, signal: null });
	});
});

async function addressOf(node: SignalledProcess): Promise<{ http: string; ws: string }> {
	const [port] = await node.ask<number[]>({ do: 'ports' });
	return { http: `http://localhost:${port}`, ws: `ws://localhost:${port}/ws` };
}

async function statusOf(url: string): Promise<number> {
	return (await fetch(url)).status;
}
