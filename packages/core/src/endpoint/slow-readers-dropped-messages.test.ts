import { connectSpeaker, type RawWebSocket, RecordingLogger, until } from '@orijs/testkit';
import { InProcWsProvider } from '@orijs/websocket';
import { BuiltIn, type GapNotice } from '@orijs/websocket/protocol';
import { describe, expect, it } from 'vitest';
import { Application } from '../index.ts';
import { connectRawWebSocket } from '../test-support/raw-web-socket.ts';
import { serve } from '../test-support/serve.ts';

const QUEUED = 256 * 1024;
/** Far more than the kernel's buffers and `limits.queuedBytes` together can hold. */
const ENOUGH_BYTES = 40 * 1024 * 1024;

interface Numbered {
	readonly number: number;
	readonly at: number;
}

/** An application whose clients may subscribe, and which drops messages to slow readers. */
async function dropping() {
	const logger = new RecordingLogger();
	const app = new Application({ logger }).websocket({
		slowReaders: 'drop',
		limits: { queuedBytes: QUEUED },
		authorize: { subscribe: () => true },
	});
	const sent: Numbered[] = [];
	return {
		app,
		logger,
		sent,
		...(await serve(app)),
		/** Publishes a numbered message of `size` bytes. */
		publish(size: number) {
			const message = { number: sent.length, at: Date.now() };
			sent.push(message);
			void app.socket.publish('flood', JSON.stringify(message).padEnd(size, ' '));
		},
	};
}

const subscription = (topic: string): string =>
	JSON.stringify({ type: BuiltIn.subscribe, correlationId: topic, data: { topic } });

async function connectSlow(port: number, topics: readonly string[]): Promise<RawWebSocket> {
	const client = await connectRawWebSocket(port);
	for (const topic of topics) client.send(subscription(topic));
	await until(() => client.texts.length === topics.length, { what: 'the client is subscribed' });
	return client;
}

/** Parses frames, and takes the application's JSON out of them. */
const read = (texts: readonly unknown[]): Record<string, unknown>[] =>
	texts.map((text) => {
		const frame = JSON.parse(String(text)) as Record<string, unknown>;
		return frame['name'] === BuiltIn.text ? (JSON.parse(String(frame['data'])) as Record<string, unknown>) : frame;
	});

const messagesIn = (texts: readonly unknown[]): Numbered[] =>
	read(texts).filter((message) => 'number' in message) as unknown as Numbered[];

const gapsIn = (texts: readonly unknown[]): GapNotice[] =>
	read(texts).flatMap(({ type, data }) => (type === BuiltIn.gap ? [data as GapNotice] : []));

/** Returns the messages that did not arrive and lie in no gap that was reported to the client. */
function silentlyLost(sent: readonly Numbered[], texts: readonly unknown[]): Numbered[] {
	const arrived = new Set(messagesIn(texts).map(({ number }) => number));
	const gaps = gapsIn(texts).filter(({ topic }) => topic === 'flood');
	return sent.filter(
		({ number, at }) => !arrived.has(number) && !gaps.some(({ since, until: end }) => since <= at && at <= end),
	);
}

describe('with slowReaders: drop, a client that reads too slowly', () => {
	it.each([64, 900, 16 * 1024])(
		'stays connected and, once it has caught up, is notified of gaps between messages of %d bytes',
		async (size) => {
			const { app, port, sent, publish } = await dropping();
			const slow = await connectSlow(port, ['flood', 'other']);
			slow.pause();
			while (sent.length < ENOUGH_BYTES / size) {
				publish(size);
				if (sent.length % 1_000 === 0) await Bun.sleep(0);
			}
			slow.resume();
			await until(() => gapsIn(slow.texts).length >= 3, { what: 'the gap notices have arrived', timeoutMs: 10_000 });

			expect(slow.isClosed).toBe(false);
			expect(app.refusals.slowReader).toBe(1);
			expect(messagesIn(slow.texts).length).toBeLessThan(sent.length);
			expect(gapsIn(slow.texts).map(({ topic }) => topic)).toEqual(['*', 'flood', 'other']);
			expect(silentlyLost(sent, slow.texts)).toEqual([]);
		},
	);

	it('receives later messages once it has caught up', async () => {
		const { port, sent, publish } = await dropping();
		const slow = await connectSlow(port, ['flood']);
		slow.pause();
		while (sent.length < ENOUGH_BYTES / 16_384) publish(16_384);
		slow.resume();
		await until(() => gapsIn(slow.texts).length > 0, { what: 'the client has caught up', timeoutMs: 10_000 });
		publish(100);

		await until(() => messagesIn(slow.texts).at(-1)?.number === sent.length - 1, {
			what: 'the last message has arrived',
		});
	});

	it('is notified of every gap if it reads in bursts', async () => {
		const { port, sent, publish } = await dropping();
		const slow = await connectSlow(port, ['flood']);
		for (let round = 0; round < 20; round++) {
			slow.pause();
			for (let i = 0; i < 400; i++) publish(16_384);
			await Bun.sleep(2);
			slow.resume();
			await Bun.sleep(round % 4);
		}
		slow.resume();
		const last = async (): Promise<boolean> => {
			publish(100);
			await Bun.sleep(5);
			return messagesIn(slow.texts.slice(-50)).at(-1)?.number === sent.length - 1;
		};
		await until(last, { what: 'the client has caught up', timeoutMs: 10_000 });

		expect(messagesIn(slow.texts).length).toBeLessThan(sent.length);
		expect(silentlyLost(sent, slow.texts)).toEqual([]);
	});

	it('does not affect other clients: they receive everything, and no gap notices', async () => {
		const { app, port, ws, sent, publish } = await dropping();
		const slow = await connectSlow(port, ['flood']);
		const fast = await connectSpeaker(ws);
		fast.send(subscription('flood'));
		await fast.received(1);
		slow.pause();
		while (sent.length < 2_000) {
			publish(16_384);
			// This client reads as fast as it can, but it runs in the same thread: let it catch up regularly.
			if (sent.length % 4 === 0) await fast.received(sent.length);
		}

		const texts = await fast.received(sent.length + 1);
		expect(messagesIn(texts)).toEqual(sent);
		expect(gapsIn(texts)).toEqual([]);
		expect([slow.isClosed, app.refusals.slowReader]).toEqual([false, 1]);
	});

	it('is not told when stopping that everything was answered: the answer may have been dropped', async () => {
		const provider = new InProcWsProvider({ logger: new RecordingLogger() });
		const app = new Application({ logger: new RecordingLogger() }).websocket(provider, {
			slowReaders: 'drop',
			limits: { queuedBytes: QUEUED },
			authorize: { subscribe: () => true },
		});
		const { port } = await serve(app);
		const slow = await connectSlow(port, ['flood']);
		slow.pause();
		for (let i = 0; i < ENOUGH_BYTES / 16_384; i++) void app.socket.publish('flood', ' '.repeat(16_384));
		slow.send(subscription('late'));
		await until(() => provider.getTopicSubscriberCount('late') === 1, { what: 'the subscription is handled' });
		slow.resume();
		await until(() => gapsIn(slow.texts.filter((text) => text.trim() !== '')).length > 0, {
			what: 'the client has caught up',
		});

		await app.stop();
		await slow.closed();
		expect(slow.texts.some((text) => text.includes('"correlationId":"late"'))).toBe(false);
		expect(slow.close).toEqual({
			code: 1012,
			reason: expect.stringMatching(/^server is stopping; retry-after-ms=\d+$/) as string,
		});
	});

	it('is counted each time, even on an endpoint without typed messages', async () => {
		const provider = new InProcWsProvider({ logger: new RecordingLogger() });
		const app = new Application({ logger: new RecordingLogger() })
			.websocket(provider, { slowReaders: 'drop', limits: { queuedBytes: QUEUED } })
			.onWebSocket({ open: (ws) => ws.subscribe('flood') });
		const { port } = await serve(app);
		const slow = await connectRawWebSocket(port);
		const [socket] = provider.getConnections();
		for (let time = 1; time <= 2; time++) {
			slow.pause();
			for (let i = 0; i < ENOUGH_BYTES / 16_384; i++) void app.socket.publish('flood', ' '.repeat(16_384));
			slow.resume();
			await until(() => socket?.getBufferedAmount() === 0, { what: 'the client has caught up' });
			expect([time, app.refusals.slowReader]).toEqual([time, time]);
		}
	});
});
