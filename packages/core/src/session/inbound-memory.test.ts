import { connectSpeaker, type ScriptProcess, spawnBun, type TestClient, until } from '@orijs/testkit';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Memory } from '../test-support/inbound-memory-process.ts';
import { allReceived, sendTyped } from '../test-support/typed-client.ts';

const MIB = 1024 * 1024;
/** The memory of one connection at the default limits, as docs/security.md states it, without pending subscriptions. */
const MAX_PER_CLIENT = 4 * MIB;
/** The memory of its pending subscriptions while the backend does not answer, as stated there. */
const MAX_PENDING_SUBSCRIPTIONS = 8 * MIB;
const CLIENTS = 20;
const MESSAGES = 64;
/** A value in JSON that takes as much memory as possible once it is parsed. */
const COSTLY = `[${Array.from({ length: 21_000 }, () => '{}').join()}]`;
const TEST_TIMEOUT_MS = 60_000;

let server: ScriptProcess;
// Memory that an earlier test has freed must not be counted for a later one.
beforeEach(() => {
	server = spawnBun(new URL('../test-support/inbound-memory-process.ts', import.meta.url));
});
const measure = (): Promise<Memory> => server.request<Memory>('memory', 20_000);

/** Connects clients that send `first` and then further messages. Resolves once reading from all of them is paused. */
async function paused(port: number, first: string): Promise<TestClient[]> {
	// The server can count pauses once a connection is open.
	await connected(port);
	const clients: TestClient[] = [];
	for (let i = 0; i < CLIENTS; i++) {
		const client = await connectSpeaker(`ws://localhost:${port}/ws`);
		clients.push(client);
		client.send(first);
		for (let sent = 0; sent < MESSAGES; sent++) client.send(`{"type":"hang","data":${COSTLY}}`);
	}
	await until(async () => (await measure()).pauses >= CLIENTS, {
		what: 'reading from all clients is paused',
		timeoutMs: 20_000,
	});
	return clients;
}

async function connected(port: number): Promise<TestClient> {
	const client = await connectSpeaker(`ws://localhost:${port}/ws`);
	sendTyped(client, '@auth', 'in', 'auth');
	await client.next();
	return client;
}

describe('one client takes a bounded amount of memory', () => {
	it.each<[string, (port: number) => Promise<TestClient[]>, number?]>([
		['whose messages wait for a handler', (port) => paused(port, '{"type":"@auth","data":"in"}')],
		['whose messages wait for the guards', (port) => paused(port, '{"type":"@auth","data":"wait"}')],
		[
			'whose messages wait while a handler awaits its reply',
			async (port) => {
				const clients: TestClient[] = [];
				for (let i = 0; i < CLIENTS; i++) {
					const client = await connected(port);
					clients.push(client);
					sendTyped(client, 'ask');
					await client.next();
					for (let sent = 0; sent < MESSAGES; sent++) client.send(`{"type":"hang","data":${COSTLY}}`);
					await allReceived(client);
				}
				return clients;
			},
		],
		[
			'whose subscription waits for authorize',
			async (port) => {
				const clients: TestClient[] = [];
				for (let i = 0; i < CLIENTS; i++) {
					const client = await connected(port);
					clients.push(client);
					client.send(`{"type":"@subscribe","data":{"topic":"undecided","more":${COSTLY}}}`);
					for (let sent = 0; sent < 3; sent++) client.send(`{"type":"hang","data":${COSTLY}}`);
					await allReceived(client);
				}
				return clients;
			},
		],
		[
			'whose subscriptions the backend does not confirm',
			async (port) => {
				const clients: TestClient[] = [];
				for (let i = 0; i < CLIENTS; i++) {
					const client = await connected(port);
					clients.push(client);
					for (let list = 0; list < 100; list++) {
						const topics = Array.from({ length: 100 }, (_, topic) => `t:${i}:${list}:${topic}:`.padEnd(256, 'x'));
						const since = `{"epoch":"e","offset":1,"more":${COSTLY.slice(0, 30_001)}{}]}`;
						client.send(
							`{"type":"@subscribe","correlationId":"${list}","data":{"topics":[{"topic":"mine:${i}","since":${since}},` +
								`${JSON.stringify(topics.slice(1)).slice(1)}}}`,
						);
					}
					await allReceived(client);
				}
				return clients;
			},
			MAX_PENDING_SUBSCRIPTIONS,
		],
	])(
		'%s',
		async (_, attack, limit = MAX_PER_CLIENT) => {
			const { port, rss } = await measure();
			const clients = await attack(port);
			const perClient = ((await measure()).rss - rss) / CLIENTS;

			expect(perClient / MIB).toBeLessThan(limit / MIB);
			expect(clients).toHaveLength(CLIENTS);
			await server.stop(0);
		},
		TEST_TIMEOUT_MS,
	);
});
