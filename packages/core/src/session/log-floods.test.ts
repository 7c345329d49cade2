import { connectSpeaker, type ScriptProcess, spawnBun, type TestClient } from '@orijs/testkit';
import { expect, it, vi } from 'vitest';
import { allReceived, sendTyped } from '../test-support/typed-client.ts';

const CLIENTS = 10;
const EACH = 1_000;
const LONGEST_LINE_BYTES = 4_096;
/** Ten thousand messages and answers take a while on a busy machine. */
const TIMEOUT_MS = 30_000;
/** Characters that end a line, hide text, change its direction or control a terminal. */
const EVIL = '\r\n\u001b[2J\u009b1m\u007f\u2028\u2029\u202e\u2066\u200b\ufeff';
const ESCAPED = String.raw`\u{d}\u{a}\u{1b}[2J\u{9b}1m\u{7f}\u{2028}\u{2029}\u{202e}\u{2066}\u{200b}\u{feff}`;

vi.setConfig({ testTimeout: TIMEOUT_MS });

interface Flooded {
	/** All lines of the server's log. */
	readonly lines: readonly string[];
	/** The number of entries in the lines that contain a text: the `count` of a line, or 1. */
	entries(containing: string): number;
}

/** Floods a server that has the default logger, stops it, and returns its log. */
async function flood(send: (client: TestClient, i: number) => void): Promise<Flooded> {
	return logOf(async (url) => {
		const clients = await Promise.all(
			Array.from({ length: CLIENTS }, () => connectSpeaker(url, { timeoutMs: TIMEOUT_MS })),
		);
		for (let i = 0; i < EACH; i++) for (const client of clients) send(client, i);
		await Promise.all(clients.map(allReceived));
		// A request that waits for its turn: all messages before it have been handled.
		for (const client of clients) sendTyped(client, '@unsubscribe', { topic: 'x' }, 'last');
		const isLast = (message: unknown): boolean => String(message).includes('"correlationId":"last"');
		await Promise.all(clients.map((client) => client.next(isLast)));
	});
}

async function logOf(use: (url: string, server: ScriptProcess) => Promise<void>): Promise<Flooded> {
	const server = spawnBun(new URL('../test-support/logging-process.ts', import.meta.url));
	const port = await server.request<number>('port');
	const began = performance.now();
	await use(`ws://localhost:${port}/ws`, server);
	await server.request('stop');
	const seconds = (performance.now() - began) / 1_000;
	const lines = server
		.output()
		.split('\n')
		.filter((line) => line !== '');
	// No test has more than four kinds. Each kind has one line at first, one per second, and one at the end.
	expect(lines.length).toBeLessThanOrEqual(4 * (seconds + 2));
	for (const line of lines) {
		expect(Buffer.byteLength(line)).toBeLessThanOrEqual(LONGEST_LINE_BYTES);
		expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
	}
	return {
		lines,
		entries: (containing) =>
			lines
				.filter((line) => line.includes(containing))
				.reduce((sum, line) => sum + Number(/ count=(\d+)/.exec(line)?.[1] ?? 1), 0),
	};
}

it('a thousand clients that leave while their handlers wait do not appear in the log', async () => {
	const { lines } = await logOf(async (url) => {
		for (let i = 0; i < 1_000; i += 50) {
			const clients = await Promise.all(Array.from({ length: 50 }, () => connectSpeaker(url)));
			for (const [n, client] of clients.entries()) {
				if (n % 2 === 0) client.send('leave');
				else sendTyped(client, 'leave', null);
			}
			await Promise.all(clients.map(allReceived));
			await Promise.all(clients.map((client) => client.terminate()));
		}
	});

	expect(lines).toEqual([]);
});

it('10,000 refused calls that are not awaited are counted in a few lines', async () => {
	const { entries } = await flood((client, i) => client.send(`no topic ${i} ${EVIL}`));

	expect(entries('InvalidTopicError')).toBe(CLIENTS * EACH);
});

it('10,000 refused calls that are awaited are counted once, as failures of their handler', async () => {
	const { lines, entries } = await flood((client) => client.send('await'));

	expect(entries('The message handler failed')).toBe(CLIENTS * EACH);
	expect(lines.filter((line) => !line.startsWith('The message handler failed'))).toEqual([]);
});

it('10,000 failing handlers are counted in a few lines, and do not hide a failure of another kind', async () => {
	const { lines, entries } = await flood((client, i) => {
		sendTyped(client, 'fail', EVIL + 'x'.repeat(1_000));
		if (i === EACH / 2) client.send('await');
	});

	expect(entries('A message handler failed')).toBe(CLIENTS * EACH);
	expect(entries('The message handler failed')).toBe(CLIENTS);
	expect(lines.find((line) => line.startsWith('A message handler failed'))).toContain(`TypeError: ${ESCAPED}xxx`);
});

it('10,000 messages of types that clients make up are counted in a few lines', async () => {
	const { lines, entries } = await flood((client, i) => sendTyped(client, `${i}${EVIL}`, null, `${i}${EVIL}`));

	expect(entries('no handler for their type')).toBe(CLIENTS * EACH);
	expect(lines[0]).toContain(`type="0`);
});

it('clients that are refused by their headers are counted in a few lines', async () => {
	const count = 200;
	const { lines, entries } = await logOf(async (url) => {
		const headers = { origin: `https://\u009b\u0085evil${'x'.repeat(4_000)}` };
		for (let i = 0; i < count; i++) await expect(connectSpeaker(url, { headers })).rejects.toThrow();
	});

	expect(entries('the page is from another origin')).toBe(count);
	expect(lines[0]).toContain(String.raw`\u{9b}\\u{85}evilxxx`);
});
