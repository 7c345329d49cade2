import { connectClient, type TestClient } from '@orijs/testkit';
import { SocketMessage } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, SocketRouter } from '../index.ts';
import { LogBook } from '../test-support/log-book.ts';
import { serve } from '../test-support/serve.ts';
import { parse, say } from '../test-support/speak.ts';

const Do = SocketMessage.define({ name: 'do', data: z.unknown(), reply: z.string() });
/** What a refusal says of a request to do something. */
const REQUEST = { type: 'do', correlationId: 'a' };
const nested = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`;

describe('a message that nothing handles', () => {
	it.each(['nothing', 'Do', 'do ', 'toString', '__proto__', 'constructor'])('is refused: %j', async (type) => {
		const { client } = await connected();

		say(client, type, null, 'a');
		expect(parse(await client.next())).toEqual({
			type,
			correlationId: 'a',
			error: { code: 'unknown_type', message: `Nothing handles ${type}` },
		});
	});
});

describe('what is no message is refused with invalid_message', () => {
	const refused: readonly [text: string, reason: string, of: object][] = [
		['', 'it is not JSON', { type: '' }],
		['do', 'it is not JSON', { type: '' }],
		['{"type":"do"', 'it is not JSON', { type: '' }],
		['null', 'it is no JSON object', { type: '' }],
		['7', 'it is no JSON object', { type: '' }],
		['"do"', 'it is no JSON object', { type: '' }],
		['[{"type":"do"}]', 'it is no JSON object', { type: '' }],
		['{}', 'its type is no text', { type: '' }],
		['{"type":7}', 'its type is no text', { type: '' }],
		['{"type":null}', 'its type is no text', { type: '' }],
		['{"type":""}', 'its type is no text', { type: '' }],
		['{"__proto__":{"type":"do"}}', 'its type is no text', { type: '' }],
		[`{"type":"${'n'.repeat(130)}","correlationId":"a"}`, 'its type is too long', { type: '', correlationId: 'a' }],
		...[7, true, {}, [], '', 'n'.repeat(129)].map((id): [string, string, object] => [
			`{"type":"do","correlationId":${JSON.stringify(id)}}`,
			'its correlationId is no text of 1 to 128 characters',
			{ type: 'do' },
		]),
		['{"type":"do","data":{"__proto__":{}},"correlationId":"a"}', 'it has a key __proto__', REQUEST],
		['{"type":"do","data":[{"x":{"__proto__":1}}],"correlationId":"a"}', 'it has a key __proto__', REQUEST],
		[
			'{"type":"do","data":{"constructor":{"prototype":{}}},"correlationId":"a"}',
			'it has a key constructor.prototype',
			REQUEST,
		],
		[`{"type":"do","data":${nested(33)},"correlationId":"a"}`, 'it is nested too deep', REQUEST],
	];

	it.each(refused.map((row) => [row[0].slice(0, 60), ...row] as const))('%s', async (_, text, reason, of) => {
		const { client, handled } = await connected();

		client.send(text);
		expect(parse(await client.next())).toEqual({
			...of,
			error: { code: 'invalid_message', message: `That is no message: ${reason}` },
		});
		expect(handled).toEqual([]);
	});

	it.each([
		['a key constructor alone', '{"constructor":"Ford"}'],
		['32 levels', nested(32)],
		['unknown keys beside it', '1,"sent":"just now"'],
		['a line break and a key twice', '\n0,"data":{"a":1,"a":2}'],
	])('but %s is fine', async (_, data) => {
		const { client } = await connected();

		client.send(`{"type":"do","correlationId":"a","data":${data}}`);
		expect(parse(await client.next())['data']).toBe('done');
	});
});

async function connected(): Promise<{ client: TestClient; handled: unknown[] }> {
	const handled: unknown[] = [];
	const router = new SocketRouter().on(Do, ({ data }) => {
		handled.push(data);
		return 'done';
	});
	const app = new Application({ logger: new LogBook() }).websocket().socketRouter(router);
	const { ws } = await serve(app);
	return { client: await connectClient(ws), handled };
}
