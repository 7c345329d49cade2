import { connectSpeaker, RecordingLogger, type TestClient } from '@orijs/testkit';
import { SocketMessage } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { parse, sendTyped } from '../test-support/typed-client.ts';

const Do = SocketMessage.define({ name: 'do', data: z.unknown(), reply: z.string() });
/** The fields that a refusal takes from the request. */
const REQUEST = { type: 'do', correlationId: 'a' };
const nested = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`;

describe('a message without a handler', () => {
	it.each(['nothing', 'Do', 'do ', 'toString', '__proto__', 'constructor'])('is refused: %j', async (type) => {
		const { client } = await connected();

		sendTyped(client, type, null, 'a');
		expect(parse(await client.next())).toEqual({
			type,
			correlationId: 'a',
			error: { code: 'unknown_type', message: `No handler for ${type}` },
		});
	});
});

describe('an invalid message is refused with invalid_message', () => {
	const refused: readonly [text: string, reason: string, of: object][] = [
		['', 'not valid JSON', { type: '' }],
		['do', 'not valid JSON', { type: '' }],
		['{"type":"do"', 'not valid JSON', { type: '' }],
		['null', 'not a JSON object', { type: '' }],
		['7', 'not a JSON object', { type: '' }],
		['"do"', 'not a JSON object', { type: '' }],
		['[{"type":"do"}]', 'not a JSON object', { type: '' }],
		['{}', 'type must be a non-empty string', { type: '' }],
		['{"type":7}', 'type must be a non-empty string', { type: '' }],
		['{"type":null}', 'type must be a non-empty string', { type: '' }],
		['{"type":""}', 'type must be a non-empty string', { type: '' }],
		['{"__proto__":{"type":"do"}}', 'type must be a non-empty string', { type: '' }],
		[
			`{"type":"${'n'.repeat(130)}","correlationId":"a"}`,
			'type must be at most 129 characters',
			{ type: '', correlationId: 'a' },
		],
		...[7, true, {}, [], '', 'n'.repeat(129)].map((id): [string, string, object] => [
			`{"type":"do","correlationId":${JSON.stringify(id)}}`,
			'correlationId must be a string of 1 to 128 characters',
			{ type: 'do' },
		]),
		['{"type":"do","data":{"__proto__":{}},"correlationId":"a"}', 'key __proto__ is not allowed', REQUEST],
		['{"type":"do","data":[{"x":{"__proto__":1}}],"correlationId":"a"}', 'key __proto__ is not allowed', REQUEST],
		[
			'{"type":"do","data":{"constructor":{"prototype":{}}},"correlationId":"a"}',
			'key constructor.prototype is not allowed',
			REQUEST,
		],
		[`{"type":"do","data":${nested(33)},"correlationId":"a"}`, 'nested too deeply', REQUEST],
	];

	it.each(refused.map((row) => [row[0].slice(0, 60), ...row] as const))('%s', async (_, text, reason, of) => {
		const { client, handled } = await connected();

		client.send(text);
		expect(parse(await client.next())).toEqual({
			...of,
			error: { code: 'invalid_message', message: `Invalid message: ${reason}` },
		});
		expect(handled).toEqual([]);
	});

	it.each([
		['a key constructor without a prototype', '{"constructor":"Ford"}'],
		['nesting of 32 levels', nested(32)],
		['unknown keys', '1,"sent":"just now"'],
		['a line break and a duplicate key', '\n0,"data":{"a":1,"a":2}'],
	])('but %s is accepted', async (_, data) => {
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
	const app = new Application({ logger: new RecordingLogger() }).websocket().socketRouter(router);
	const { ws } = await serve(app);
	return { client: await connectSpeaker(ws), handled };
}
