import { connectSpeaker, RecordingLogger, until } from '@orijs/testkit';
import { SocketMessage } from '@orijs/websocket';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { Application, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { parse, sendTyped } from '../test-support/typed-client.ts';

const Strict = SocketMessage.define({ name: 'strict', data: z.strictObject({}) });
const Ask = SocketMessage.define({ name: 'ask', data: z.null() });
const Name = SocketMessage.define({ name: 'name', data: z.null(), reply: z.strictObject({}) });

/** Characters that end a line, hide text, change its direction or control a terminal. */
const EVIL = '\r\n\u001b[2J\u009b1m\u007f\u2028\u2029\u202e\u2066\u200b\ufeff';
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

async function serving() {
	const log = new RecordingLogger();
	const router = new SocketRouter()
		.on(Strict, () => undefined)
		.on(Ask, async (ctx) => {
			ctx.log.info('asking');
			await ctx.request(Name, null);
		});
	const app = new Application({ logger: log }).websocket().socketRouter(router);
	return { log, client: await connectSpeaker((await serve(app)).ws) };
}

it('the error of a schema is printable, whatever keys the client has sent', async () => {
	const { client } = await serving();
	sendTyped(client, 'strict', { [EVIL]: 1 }, 'a');
	const { message } = parse(await client.next())['error'] as Record<string, string>;

	expect(message).toContain('does not match its schema');
	expect(message).not.toMatch(UNPRINTABLE);
});

it.each<[string, object]>([
	['an error', { error: { code: EVIL, message: EVIL } }],
	['data that does not match its schema', { data: { [EVIL]: 1 } }],
])('the error of a request is printable, whatever the client replies: %s', async (_, reply) => {
	const { client, log } = await serving();
	sendTyped(client, 'ask', null);
	const { correlationId } = parse(await client.next());
	client.send(JSON.stringify({ type: '@reply', correlationId, ...reply }));
	await log.untilErrors(1);

	const err = log.errors[0]?.details?.['err'] as Error;
	expect(err.name).toBe('SocketRequestError');
	for (const { message } of [err, err.cause as Error | undefined].filter((each) => each !== undefined))
		expect(message).not.toMatch(UNPRINTABLE);
});

it('the correlation id in the lines of ctx.log is printable, whatever the client has chosen', async () => {
	const { client, log } = await serving();
	sendTyped(client, 'ask', null, EVIL);
	await until(() => log.lines.some(({ message }) => message === 'asking'), { what: 'the handler has logged' });

	const line = log.lines.find(({ message }) => message === 'asking');
	expect(line?.details?.['correlationId']).not.toMatch(UNPRINTABLE);
	expect(line?.details?.['correlationId']).toContain(String.raw`\u{1b}[2J`);
});
