import { strict as assert } from 'node:assert';
import { type ClientState, ConnectError, type ErrorStage, SocketClient, type SocketClientOptions } from '../index.ts';
import type { Scenario, TestServer } from './test-server.ts';

/** Delays short enough for a test, yet long enough for a busy machine. */
const SHORT_DELAYS: SocketClientOptions = {
	reconnect: { minDelayMs: 20, maxDelayMs: 100 },
	connectTimeoutMs: 3_000,
};

interface TrackedClient {
	readonly client: SocketClient;
	readonly states: ClientState[];
	readonly failures: [ErrorStage, Error][];
	readonly connectErrors: ConnectError[];
	mayFail: boolean;
}

const clientsOf = new Map<TestServer, TrackedClient[]>();

/**
 * Runs a scenario and closes its clients. Rejects if a client has reported errors and the scenario did not call
 * `failuresOf`. A `ConnectError` is not an error in this sense: in many scenarios there is no server for some time.
 */
export async function runScenario(scenario: Scenario, server: TestServer): Promise<void> {
	const clients: TrackedClient[] = [];
	clientsOf.set(server, clients);
	try {
		await scenario(server);
		for (const { failures, mayFail } of clients) if (!mayFail) assert.deepEqual(failures, []);
	} finally {
		await Promise.all(clients.map(({ client }) => client.close()));
		clientsOf.delete(server);
	}
}

/** Returns a client that is not connected yet. It is closed when the scenario ends. */
export function newClient(
	server: TestServer,
	options: SocketClientOptions = {},
	url: string = server.url,
): SocketClient {
	const client = new SocketClient(url, { ...SHORT_DELAYS, ...options });
	const tracked: TrackedClient = { client, states: [], failures: [], connectErrors: [], mayFail: false };
	client.onStateChange((state) => tracked.states.push(state));
	client.onError((error, stage) => {
		if (error instanceof ConnectError) tracked.connectErrors.push(error);
		else tracked.failures.push([stage, error]);
	});
	clientsOf.get(server)?.push(tracked);
	return client;
}

/** Resolves with a client once it is ready. */
export async function readyClient(server: TestServer, options?: SocketClientOptions): Promise<SocketClient> {
	const client = newClient(server, options);
	await client.connect();
	return client;
}

/** Returns a live list of the errors that a client reports, apart from `ConnectError`, and allows such errors. */
export function failuresOf(client: SocketClient): readonly (readonly [ErrorStage, Error])[] {
	const tracked = trackedClient(client);
	tracked.mayFail = true;
	return tracked.failures;
}

/** Returns a live list of the reasons that a client reports for being unable to connect. */
export function connectErrorsOf(client: SocketClient): readonly ConnectError[] {
	return trackedClient(client).connectErrors;
}

/** Returns a live list of the states that a client enters, in order. */
export function statesOf(client: SocketClient): readonly ClientState[] {
	return trackedClient(client).states;
}

function trackedClient(client: SocketClient): TrackedClient {
	const tracked = [...clientsOf.values()].flat().find((one) => one.client === client);
	if (tracked === undefined) throw new Error('a scenario must create its clients with newClient');
	return tracked;
}
