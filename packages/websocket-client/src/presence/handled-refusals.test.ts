import { afterEach, expect, it, vi } from 'vitest';
import { type PresenceHandle, SocketClient } from '../index.ts';
import { rejection } from '../test-support/assertions.ts';
import { LocalTestServer } from '../test-support/local-test-server.ts';

afterEach(() => vi.restoreAllMocks());

/** Plays with a client without error listeners whose watches the server refuses. Returns what it prints. */
async function printedOf(play: (client: SocketClient) => Promise<unknown>): Promise<unknown[]> {
	const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
	const unhandled: unknown[] = [];
	const listener = (error: unknown): void => void unhandled.push(error);
	process.on('unhandledRejection', listener);
	const server = await LocalTestServer.start();
	await server.serve({ users: true });
	const client = new SocketClient(server.url, { auth: () => 'ada' });
	try {
		await client.connect();
		await play(client);
		// Whatever the refusal has caused has happened once this is answered.
		await client.ping();
		expect(unhandled).toEqual([]);
		return printed.mock.calls.map(([stage]: unknown[]) => stage);
	} finally {
		process.off('unhandledRejection', listener);
		await client.close();
		await server.end();
	}
}

const untilClosed = (here: PresenceHandle): Promise<void> =>
	vi.waitFor(() => expect(here.isClosed).toBe(true), { timeout: 5_000 });

it('a refusal that goes nowhere else is printed', async () => {
	const printed = await printedOf((client) => untilClosed(client.presence('unkept')));
	expect(printed).toEqual(['SocketClient (presence):']);
});

it.each<[how: string, play: (client: SocketClient) => Promise<unknown>]>([
	['by onRefused', (client) => new Promise((resolve) => void client.presence('unkept', { onRefused: resolve }))],
	['by awaiting ready', (client) => rejection(client.presence('unkept').ready)],
	['by the promise of update', (client) => rejection(client.presence('unkept').update({ a: 1 }))],
])('a refusal that is handled, %s, is not printed', async (_, play) => {
	expect(await printedOf(play)).toEqual([]);
});

it('one that some handle does not handle is printed', async () => {
	const printed = await printedOf(async (client) => {
		const [first, second] = [client.presence('unkept'), client.presence('unkept', { onRefused: () => {} })];
		await Promise.all([first, second].map(untilClosed));
	});
	expect(printed).toEqual(['SocketClient (presence):']);
});
