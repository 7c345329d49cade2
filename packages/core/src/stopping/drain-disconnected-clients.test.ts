import { connectSpeaker, RecordingLogger } from '@orijs/testkit';
import { SocketMessage } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, type MessageContext, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { sendTyped } from '../test-support/typed-client.ts';

const Save = SocketMessage.define({ name: 'save', data: z.number() });

interface Saving {
	readonly app: Application;
	readonly logger: RecordingLogger;
	/** Resolves with the context of the first message once its handler runs. */
	readonly started: Promise<MessageContext>;
	/** Resolves once the server has noticed that a client has disconnected. */
	readonly left: Promise<void>;
	/** The events, in order. */
	readonly events: string[];
	releaseHandlers(): void;
}

/** Creates an application whose save handlers wait until the test releases them. */
function saving(work: (ctx: MessageContext) => Promise<void> = () => Promise.resolve()): Saving {
	const logger = new RecordingLogger();
	const started = Promise.withResolvers<MessageContext>();
	const left = Promise.withResolvers<void>();
	const gate = Promise.withResolvers<void>();
	const events: string[] = [];
	const router = new SocketRouter().on(Save, async (ctx) => {
		started.resolve(ctx);
		await gate.promise;
		await work(ctx);
		events.push(`saved ${ctx.data}`);
	});
	const app = new Application({ logger })
		.websocket()
		.socketRouter(router)
		.onWebSocket({ close: () => left.resolve() })
		.onShutdown(() => void events.push('shut down'));
	return { app, logger, started: started.promise, left: left.promise, events, releaseHandlers: gate.resolve };
}

describe('a client that leaves while its message is handled', () => {
	it('before stop(): its message is handled to the end, and shutdown hooks wait for it', async () => {
		const { app, started, left, events, releaseHandlers } = saving();
		const client = await connectSpeaker((await serve(app)).ws);
		sendTyped(client, 'save', 1);
		await started;
		await client.close();
		await left;

		const stopped = app.stop();
		// Longer than stop() takes when it has nothing to wait for.
		await Bun.sleep(100);
		releaseHandlers();
		await stopped;
		expect(events).toEqual(['saved 1', 'shut down']);
	});

	it('during stop(): its message is handled to the end, and shutdown hooks wait for it', async () => {
		const { app, started, left, events, releaseHandlers } = saving();
		const client = await connectSpeaker((await serve(app)).ws);
		sendTyped(client, 'save', 1);
		await started;

		const stopped = app.stop();
		await client.terminate();
		await left;
		releaseHandlers();
		await stopped;
		expect(events).toEqual(['saved 1', 'shut down']);
	});

	it.each(['before', 'during'])("%s stop(): its handler's signal is aborted, and no error is logged", async (when) => {
		const isAborted = Promise.withResolvers<boolean>();
		const { app, logger, started, left, releaseHandlers } = saving(async ({ ws, signal }) => {
			isAborted.resolve(signal.aborted);
			await ws.subscribe('room');
		});
		const client = await connectSpeaker((await serve(app)).ws);
		sendTyped(client, 'save', 1);
		await started;

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

	it("has its handler's signal aborted after the deadline as well", async () => {
		const isAborted = Promise.withResolvers<boolean>();
		const { app, started, left, releaseHandlers } = saving(async ({ signal }) => isAborted.resolve(signal.aborted));
		const client = await connectSpeaker((await serve(app)).ws);
		sendTyped(client, 'save', 1);
		await started;

		const stopped = app.stop({ graceMs: 200 });
		await client.terminate();
		await left;
		await stopped;
		releaseHandlers();
		expect(await isAborted.promise).toBe(true);
	});
});
