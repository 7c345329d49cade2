import { strict as assert } from 'node:assert';
import { type ClientState, type ErrorStage, SocketClient, type SocketClientOptions } from '../index.ts';
import type { Scenario, Stage } from './stage.ts';

/** Waits that are short enough for a test, and not so short that a busy machine exceeds them. */
const QUICK: SocketClientOptions = {
	reconnect: { minDelayMs: 20, maxDelayMs: 100 },
	connectTimeoutMs: 3_000,
};

interface Actor {
	readonly client: SocketClient;
	readonly states: ClientState[];
	readonly failures: [ErrorStage, Error][];
	mayFail: boolean;
}

const actors = new Map<Stage, Actor[]>();

/** Runs a scenario, closes its clients, and makes sure that nothing failed in them that the scenario did not look at. */
export async function play(scenario: Scenario, stage: Stage): Promise<void> {
	const cast: Actor[] = [];
	actors.set(stage, cast);
	try {
		await scenario(stage);
		for (const { failures, mayFail } of cast) if (!mayFail) assert.deepEqual(failures, []);
	} finally {
		await Promise.all(cast.map(({ client }) => client.close()));
		actors.delete(stage);
	}
}

/** A client of the stage, which does not connect yet. It is closed when the scenario is over. */
export function clientOf(stage: Stage, options: SocketClientOptions = {}): SocketClient {
	const client = new SocketClient(stage.url, { ...QUICK, ...options });
	const actor: Actor = { client, states: [], failures: [], mayFail: false };
	client.onStateChange((state) => actor.states.push(state));
	client.onError((error, where) => actor.failures.push([where, error]));
	actors.get(stage)?.push(actor);
	return client;
}

/** One that is ready. */
export async function readyClient(stage: Stage, options?: SocketClientOptions): Promise<SocketClient> {
	const client = clientOf(stage, options);
	await client.connect();
	return client;
}

/** What failed in the background so far, and may. Grows. */
export function failuresOf(client: SocketClient): readonly (readonly [ErrorStage, Error])[] {
	const actor = actorOf(client);
	actor.mayFail = true;
	return actor.failures;
}

/** The states it came to, in order. Grows. */
export function statesOf(client: SocketClient): readonly ClientState[] {
	return actorOf(client).states;
}

function actorOf(client: SocketClient): Actor {
	const actor = [...actors.values()].flat().find((one) => one.client === client);
	if (actor === undefined) throw new Error('clients of a scenario are made with clientOf');
	return actor;
}

/** Waits for a condition. @throws when it does not come true */
export async function eventually(
	condition: () => boolean | Promise<boolean>,
	what: string,
	timeoutMs = 5_000,
): Promise<void> {
	const end = performance.now() + timeoutMs;
	while (!(await condition())) {
		if (performance.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`);
		await new Promise((resolve) => setTimeout(resolve, 5));
	}
}

/** What a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<Error & { readonly code?: unknown }> {
	try {
		await promise;
	} catch (error) {
		return error as Error;
	}
	throw new Error('it did not reject');
}

/** Whether a promise is settled by now. */
export async function isSettled(promise: Promise<unknown>): Promise<boolean> {
	let isIt = false;
	const settle = (): void => void (isIt = true);
	promise.then(settle, settle);
	await new Promise((resolve) => setTimeout(resolve, 0));
	return isIt;
}

export function untilState(client: SocketClient, state: ClientState): Promise<void> {
	return eventually(() => client.state === state, `the client is ${state}, and not ${client.state}`);
}
