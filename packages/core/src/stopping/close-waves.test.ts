import { connectClient, type TestClient } from '@orijs/testkit';
import { readRetryHint } from '@orijs/websocket/protocol';
import { beforeAll, describe, expect, it } from 'vitest';
import { Application } from '../index.ts';

const CLIENTS = 500;
/** Longer than a wave takes to close, shorter than the time between waves. */
const PAUSE_MS = 20;

describe('many connections on stop()', () => {
	const closings: number[] = [];
	let clients: TestClient[];

	beforeAll(async () => {
		const app = new Application().websocket().onWebSocket({ close: () => void closings.push(performance.now()) });
		const { port } = await app.listen(0);
		clients = await Promise.all(Array.from({ length: CLIENTS }, () => connectClient(`ws://localhost:${port}/ws`)));
		await app.stop();
	});

	it('are closed in several waves', () => {
		expect(closings).toHaveLength(CLIENTS);
		const waves: number[] = [];
		let last = Number.NEGATIVE_INFINITY;
		for (const time of closings) {
			if (time - last > PAUSE_MS) waves.push(0);
			waves.push((waves.pop() as number) + 1);
			last = time;
		}
		expect(waves.length).toBeGreaterThanOrEqual(3);
		expect(Math.max(...waves)).toBeLessThanOrEqual(CLIENTS / 2);
	});

	it('are all closed with 1012 and retry hints spread over half a second', async () => {
		const ends = await Promise.all(clients.map(({ closed }) => closed));
		expect(new Set(ends.map(({ code }) => code))).toEqual(new Set([1012]));
		const hints = ends.map(({ reason }) => readRetryHint(reason) as number);
		for (const hint of hints) expect(hint).toBeGreaterThanOrEqual(0);
		// The spread is one millisecond per connection.
		expect(Math.max(...hints)).toBeLessThanOrEqual(CLIENTS);
		// The hints must be spread evenly. By chance, a quarter gets less than half of its share only once in a billion
		// runs.
		for (let quarter = 0; quarter < 4; quarter++) {
			const share = hints.filter((hint) => Math.min(3, Math.floor(hint / (CLIENTS / 4))) === quarter);
			expect(share.length).toBeGreaterThan(CLIENTS / 8);
		}
	});
});
