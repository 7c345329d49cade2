import { connectClient } from '@orijs/testkit';
import { SocketMessage } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, type MessageContext, SocketRouter } from '../index.ts';
import { RecordingLogger } from '../test-support/recording-logger.ts';
import { serve } from '../test-support/serve.ts';
import { sendTyped } from '../test-support/typed-client.ts';

const Save = SocketMessage.define({ name: 'save', data: z.number() });

interface Stage {
	readonly app: Application;
	readonly logger: RecordingLogger;
	/** The context of the first message, once its handler runs. */
	readonly begun: Promise<MessageContext>;
	/** Resolves once the server knows that a client has left. */
	readonly left: Promise<void>;
	/** What happened, in order. */
	readonly happened: string[];
	releaseHandlers(): void;
}

/** An application that saves what it is told, which takes until the test lets it go on. */
function saving(work: (ctx: MessageContext) => Promise<void> = () => Promise.resolve()): Stage {
	const logger = new RecordingLogger();
	const begun = Promise.withResolvers<MessageContext>();
	const left = Promise.withResolvers<void>();
	const gate = Promise.withResolvers<void>();
	const happened: string[] = [];
	const router = new SocketRouter().on(Save, async (ctx) => {
		begun.resolve(ctx);
		await gate.promise;
		await work(ctx);
		happened.push(`saved ${ctx.data}`);
	});
	const app = new Application({ logger })
		.websocket()
		.socketRouter(router)
		.onWebSocket({ close: () => left.resolve() })
		.onShutdown(() => void happened.push('shut down'));
	return { app, logger, begun: begun.promise, left: left.promise, happened, releaseHandlers: gate.resolve };
}

describe('a client that has left while its message is handled', () => {
	it('before stop(): the message is handled to its end all the same, and shutdown hooks wait for that', async () => {
		const { app, begun, left, happened, releaseHandlers } = saving();
		const client = await connectClient((await serve(app)).ws);
		sendTyped(client, 'save', 1);
		await begun;
		await client.close();
		await left;

		const stopped = app.stop();
		// Longer than a stop() takes that has nothing to wait for.
		await Bun.sleep(100);
		releaseHandlers();
		await stopped;
		expect(happened).toEqual(['saved 1', 'shut down']);
	});

	it('during stop(): the same', async () => {
		const { app, begun, left, happened, releaseHandlers } = saving();
		const client = await connectClient((await serve(app)).ws);
		sendTyped(client, 'save', 1);
		await begun;

		const stopped = app.stop();
		await client.terminate();
		await left;
		releaseHandlers();
		await stopped;
		expect(happened).toEqual(['saved 1', 'shut down']);
	});

	it.each(['before', 'during'])('%s stop(): is gone for its handler, whose signal and log know it', async (when) => {
		const isAborted = Promise.withResolvers<boolean>();
		const { app, logger, begun, left, releaseHandlers } = saving(async ({ ws, signal }) => {
			isAborted.resolve(signal.aborted);
			await ws.subscribe('room');
		});
		const client = await connectClient((await serve(app)).ws);
		sendTyped(client, 'save', 1);
		await begun;

		const leave = async (): Promise<void> => {
			await client.terminate();
			await left;
		};
		if (when === 'before') await leave();
		const stopped = app.stop();
		if (when === 'during') await leave();
		releaseHandlers();
		expect(await isAborted.promise).toBe(true);
		await stopped;
		expect(logger.errors).toEqual([]);
	});

	it('is gone for its handler after the deadline as well', async () => {
		const isAborted = Promise.withResolvers<boolean>();
		const { app, begun, left, releaseHandlers } = saving(async ({ signal }) => isAborted.resolve(signal.aborted));
		const client = await connectClient((await serve(app)).ws);
		sendTyped(client, 'save', 1);
		await begun;

		const stopped = app.stop({ graceMs: 200 });
		await client.terminate();
		await left;
		await stopped;
		releaseHandlers();
		expect(await isAborted.promise).toBe(true);
	});
});
