import { RecordingLogger, until } from '@orijs/testkit';
import { BuiltIn, type GapNotice } from '@orijs/websocket/protocol';
import { describe, expect, it } from 'vitest';
import { Application } from '../index.ts';
import { connectRawWebSocket } from '../test-support/raw-web-socket.ts';
import { serve } from '../test-support/serve.ts';

const SIZE = 16 * 1024;
const QUEUED = 4 * 1024 * 1024;
/** Far more than the kernel's buffers and `limits.queuedBytes` together can hold. */
const ENOUGH_MESSAGES = 3_000;

/** ASCII and other text, because Bun may count characters instead of bytes. */
const bodies: readonly [string, string][] = [
	['ASCII', 'x'.repeat(SIZE)],
	['CJK', '漢'.repeat(SIZE / 3)],
];

describe.each(bodies)('with slowReaders: drop, a client of %s messages', (_, body) => {
	it('that is slow again after catching up is notified of all missing messages', async () => {
		const { client, sent, flood, caughtUp, missing } = await dropping(body);
		for (let round = 0; round < 3; round++) {
			client.pause();
			await flood(ENOUGH_MESSAGES);
			client.resume();
			await caughtUp();
		}

		expect(numbersIn(client.texts).size).toBeLessThan(sent.length);
		expect(missing()).toEqual([]);
	});

	it('that has read only a part when more is published is notified of all missing messages', async () => {
		const { client, sent, flood, caughtUp, missing } = await dropping(body);
		client.pause();
		await flood(ENOUGH_MESSAGES);
		for (let part = 0; part < 10; part++) {
			const before = client.texts.length;
			client.resume();
			await until(() => client.texts.length > before, { what: 'some messages have been read' });
			client.pause();
			await flood(50);
		}
		client.resume();
		await caughtUp();

		expect(numbersIn(client.texts).size).toBeLessThan(sent.length);
		expect(missing()).toEqual([]);
	});
});

function numbersIn(texts: readonly string[]): Set<number> {
	return new Set(texts.filter((text) => text.startsWith('#')).map((text) => Number(text.split('#')[1])));
}

function gapsIn(texts: readonly string[]): GapNotice[] {
	return texts
		.filter((text) => !text.startsWith('#'))
		.map((text) => JSON.parse(text) as { type?: string; data: GapNotice })
		.flatMap(({ type, data }) => (type === BuiltIn.gap && data.topic === 'flood' ? [data] : []));
}

/** A subscribed client of an application that drops messages to slow readers. */
async function dropping(body: string) {
	const app = new Application({ logger: new RecordingLogger() })
		.websocket({ slowReaders: 'drop', limits: { queuedBytes: QUEUED }, authorize: { subscribe: () => true } })
		.onWebSocket({ open: (ws) => ws.subscribe('flood') });
	const client = await connectRawWebSocket((await serve(app)).port);
	client.send(JSON.stringify({ type: BuiltIn.subscribe, correlationId: 'a', data: { topic: 'flood' } }));
	await until(() => client.texts.length === 1, { what: 'the client is subscribed' });
	/** The publication time of each message. */
	const sent: number[] = [];
	const publish = (text: string): void => {
		const number = sent.push(Date.now()) - 1;
		void app.socket.publish('flood', `#${number}#${text}`);
	};
	return {
		client,
		sent,
		async flood(count: number) {
			for (let i = 0; i < count; i++) {
				publish(body);
				if (i % 100 === 0) await Bun.sleep(1);
			}
		},
		/** Resolves once the client receives messages published now. */
		async caughtUp() {
			const hasLast = async (): Promise<boolean> => {
				publish('');
				await Bun.sleep(5);
				return numbersIn(client.texts.slice(-20)).has(sent.length - 1);
			};
			await until(hasLast, { what: 'the client has caught up', timeoutMs: 10_000 });
		},
		/** Returns the messages that did not arrive and lie in no gap that was reported to the client. */
		missing() {
			const arrived = numbersIn(client.texts);
			const gaps = gapsIn(client.texts);
			return [...sent.entries()].filter(
				([number, at]) => !arrived.has(number) && !gaps.some(({ since, until: end }) => since <= at && at <= end),
			);
		},
	};
}
