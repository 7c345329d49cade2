import { connectSpeaker, RecordingLogger } from '@orijs/testkit';
import { SocketMessage } from '@orijs/websocket';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { Application, type Limits, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { parse, sendTyped } from '../test-support/typed-client.ts';

const Start = SocketMessage.define({ name: 'start', data: z.number(), reply: z.number() });
const Ask = SocketMessage.define({ name: 'ask', data: z.number(), reply: z.number() });

it("replies to the server's requests do not count against the rate limit", async () => {
	const { app, client } = await limited({ messagesPerSecond: 5 });

	sendTyped(client, 'start', 20, 'a');
	for (let i = 0; i < 20 * 4; i++) {
		const { correlationId, data } = parse(await client.next((message) => parse(message)['name'] === 'ask'));
		sendTyped(client, '@reply', data, String(correlationId));
	}
	const answer = await client.next((message) => parse(message)['correlationId'] === 'a');
	expect(parse(answer)['data']).toBe(20 * 4);
	expect([app.refusals.rate, app.refusals.flood]).toEqual([0, 0]);
});

it("replies to the server's requests arrive although the client has used up its rate", async () => {
	const { app, client } = await limited({ messagesPerSecond: 5 });

	sendTyped(client, 'start', 1, 'a');
	const asked = await client.received(4);
	for (let i = 0; i < 8; i++) sendTyped(client, '@ping', null, `ping ${i}`);
	for (const message of asked) sendTyped(client, '@reply', 0, String(parse(message)['correlationId']));
	const answer = await client.next((message) => parse(message)['correlationId'] === 'a');
	expect(parse(answer)['data']).toBe(4);
	expect(app.refusals).toMatchObject({ rate: 4, flood: 0 });
});

it("the bytes of replies to the server's requests do not count against the rate limit either", async () => {
	const { app, client } = await limited({ messageBytes: 2_000, bytesPerSecond: 2_000 });

	sendTyped(client, 'start', 20, 'a');
	for (let i = 0; i < 20 * 4; i++) {
		const { correlationId, data } = parse(await client.next((message) => parse(message)['name'] === 'ask'));
		client.send(JSON.stringify({ type: '@reply', data, correlationId, padding: 'x'.repeat(1_500) }));
	}
	const answer = await client.next((message) => parse(message)['correlationId'] === 'a');
	expect(parse(answer)['data']).toBe(20 * 4);
	expect([app.refusals.rate, app.refusals.flood]).toEqual([0, 0]);
});

it.each<[string, (number: number) => string]>([
	['with an invalid correlation id', (number) => `nothing ${number}`],
	['with the correlation id of another node', (number) => `${crypto.randomUUID()}.${number}`],
])('replies that match no request count like any message: %s', async (_, idOf) => {
	const { app, client } = await limited({ messagesPerSecond: 5 });

	for (let i = 0; i < 20; i++) sendTyped(client, '@reply', i, idOf(i));
	expect(await client.closed).toMatchObject({ code: 4429 });
	expect(app.refusals.flood).toBe(1);
});

/** Starts an application that sends requests to its client in rounds of four. */
async function limited(limits: Limits) {
	const router = new SocketRouter().on(Start, async (ctx) => {
		let answered = 0;
		for (let round = 0; round < ctx.data; round++) {
			const answers = await Promise.all([0, 1, 2, 3].map((number) => ctx.request(Ask, number)));
			answered += answers.length;
		}
		return answered;
	});
	const app = new Application({ logger: new RecordingLogger() }).websocket({ limits }).socketRouter(router);
	return { app, client: await connectSpeaker((await serve(app)).ws) };
}
