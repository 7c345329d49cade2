import { connectSpeaker } from '@orijs/testkit';
import { type Logger, SocketMessage } from '@orijs/websocket';
import { inspect } from 'node:util';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { Application, SocketRouter } from '../index.ts';
import { handshake, serve } from '../test-support/serve.ts';
import { answersOf, sendTyped } from '../test-support/typed-client.ts';

const Job = SocketMessage.define({ name: 'job', data: z.string(), reply: z.any() });

/** A logger that throws on every line. */
const broken: Logger = { debug: fail, info: fail, warn: fail, error: fail };

/** A logger that inspects the details of each line, and throws if they can't be inspected. */
const thorough: Logger = { debug: show, info: show, warn: show, error: show };

/** Thrown values that can't be inspected. */
const uninspectable: readonly [string, () => unknown][] = [
	['an error that cannot be inspected', () => Object.assign(new Error('x'), { [inspect.custom]: fail })],
	['an object that cannot be inspected', () => ({ [inspect.custom]: fail })],
	['a revoked proxy', revoked],
	['an error whose message cannot be read', () => Object.defineProperty(new Error('x'), 'message', { get: fail })],
];

describe('a logger that throws', () => {
	it('changes no answer, and messages are still handled', async () => {
		const written = consoleErrors();
		const { client } = await working(broken, () => new Error('no'));

		for (const [id, what] of ['at once', 'later', 'fine'].entries()) sendTyped(client, 'job', what, `${id}`);
		sendTyped(client, 'nothing', null, '3');
		await client.received(4);
		expect(answersOf(client)).toEqual([
			['0', 'internal'],
			['1', 'internal'],
			['2', 'fine'],
			['3', 'unknown_type'],
		]);
		expect(written()).toContainEqual(
			expect.stringContaining('A log line could not be written: error: A message handler failed err=Error: '),
		);
	});

	it('leaks no slots when an upgrade fails', async () => {
		consoleErrors();
		let isBroken = true;
		const app = new Application({ logger: broken }).websocket({
			limits: { connections: 2 },
			upgrade: () => (isBroken ? fail() : {}),
		});
		const address = await serve(app);

		for (let i = 0; i < 5; i++) expect((await handshake(address)).status).toBe(500);
		isBroken = false;
		await connectSpeaker(address.ws);
		await connectSpeaker(address.ws);
		expect((await handshake(address)).status).toBe(503);
	});

	it('leaks no slots when open or close fail', async () => {
		consoleErrors();
		const app = new Application({ logger: broken })
			.websocket({ limits: { connections: 1 } })
			.onWebSocket({ open: fail, close: fail });
		const { ws } = await serve(app);

		for (let i = 0; i < 3; i++) {
			const client = await connectSpeaker(ws);
			expect(await client.closed).toEqual({ code: 1011, reason: 'open failed' });
		}
	});

	it('does not prevent the application from stopping when a hook fails', async () => {
		consoleErrors();
		const app = new Application({ logger: broken }).websocket().onShutdown(fail);
		const { http } = await serve(app);

		await app.stop();
		await expect(fetch(http)).rejects.toThrow();
	});
});

describe.each(uninspectable)('%s', (_, thrown) => {
	it('thrown by a handler is answered like any failure, and the next message is handled', async () => {
		consoleErrors();
		const { client } = await working(thorough, thrown);

		for (const [id, what] of ['at once', 'fine', 'later', 'fine'].entries()) sendTyped(client, 'job', what, `${id}`);
		await client.received(4);
		expect(answersOf(client)).toEqual([
			['0', 'internal'],
			['1', 'fine'],
			['2', 'internal'],
			['3', 'fine'],
		]);
	});
});

function fail(): never {
	throw new Error('broken');
}

function show(_: string, details?: object): void {
	inspect(details, { customInspect: true });
}

function revoked(): unknown {
	const { proxy, revoke } = Proxy.revocable({}, {});
	revoke();
	return proxy;
}

/** Captures console.error, the fallback for failing loggers. The returned function returns the lines written so far. */
function consoleErrors(): () => unknown[] {
	const spy = vi.spyOn(console, 'error').mockImplementation(() => {});
	onTestFinished(() => spy.mockRestore());
	return () => spy.mock.calls.map(([line]) => line as unknown);
}

/** An application whose handler throws, rejects or succeeds, depending on the message. */
async function working(logger: Logger, thrown: () => unknown) {
	const router = new SocketRouter().on(Job, ({ data }) => {
		if (data === 'at once') throw thrown();
		return data === 'later' ? Bun.sleep(1).then(() => Promise.reject(thrown() as Error)) : data;
	});
	const app = new Application({ logger }).websocket().socketRouter(router);
	return { client: await connectSpeaker((await serve(app)).ws) };
}
