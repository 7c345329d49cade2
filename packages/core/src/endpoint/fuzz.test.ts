import { connectSpeaker, frame, until } from '@orijs/testkit';
import fc from 'fast-check';
import { afterEach, beforeAll, describe, it } from 'vitest';
import { AttackTarget } from '../test-support/attack-target.ts';
import { connectRawWebSocket } from '../test-support/raw-web-socket.ts';

const server = new AttackTarget();
beforeAll(() => server.start());
afterEach(() => server.idle());

const withData = (data: string, type = 'merge'): string => `{"type":"${type}","correlationId":"x","data":${data}}`;
const nested = (open: string, close: string, depth: number): string => open.repeat(depth) + '0' + close.repeat(depth);

const HOSTILE = [
	withData('{"__proto__":{"polluted":1}}'),
	withData('{"a":[{"__proto__":{"polluted":1}}]}'),
	withData('{"constructor":{"prototype":{"polluted":1}}}'),
	withData('{"\\u005f\\u005fproto__":{"polluted":1}}'),
	'{"__proto__":{"type":"merge","data":{"polluted":1}}}',
	'{"type":"merge","__proto__":{"data":{"polluted":1}}}',
	'{"type":"merge","data":{"a":1},"data":{"__proto__":{"polluted":1}}}',
	withData(nested('[', ']', 10_000)),
	withData(nested('{"a":', '}', 10_000)),
	nested('[', ']', 10_000),
	'['.repeat(60_000),
	'{"a":'.repeat(12_000),
	withData('1e999'),
	withData(`"${'\\u0000'.repeat(5_000)}"`),
	withData('"\\ud800"', 'echo'),
	...['__proto__', 'constructor', 'toString', 'hasOwnProperty', '@auth', '@reply', '@gap', '@nope', '@', ' '].map(
		(type) => withData('{"topic":"*"}', type),
	),
	...['{}', '"__proto__"', '{"topic":{"toString":1}}', '{"topic":["a"]}', '{"topic":"*"}', '7', 'null'].flatMap(
		(data) => [withData(data, '@subscribe'), withData(data, '@unsubscribe')],
	),
	'',
	' ',
	'null',
	'0',
	'"x"',
	'[]',
	'{}',
	'\u0000',
	'\ufeff{}',
	'{"type":',
	'{"type":1}',
	'{"type":{}}',
	...['1', '{}', '[]', '""', 'true', `"${'x'.repeat(10_000)}"`].map((id) => `{"type":"echo","correlationId":${id}}`),
];

describe('a server survives', () => {
	it('hostile JSON', async () => {
		await server.survives(async () => {
			for (const text of HOSTILE) {
				const client = await connectSpeaker(server.url);
				client.send(text);
				// Whatever the server answers, the connection must stay open.
				client.send('{"type":"@ping","correlationId":"after"}');
				await client.next((answer) => String(answer).includes('"correlationId":"after"'));
				await client.terminate();
			}
		});
	});

	it('messages of any shape', async () => {
		const message = fc.oneof(
			fc.json(),
			fc.string({ unit: 'binary' }),
			fc
				.record({
					type: fc.oneof(fc.constantFrom('echo', 'merge', '@subscribe', '@unsubscribe', '@reply'), fc.anything()),
					data: fc.oneof(fc.anything(), fc.record({ topic: fc.string() })),
					correlationId: fc.oneof(fc.constant('x'), fc.anything()),
				})
				.map((value) => JSON.stringify(value)),
		);
		await server.survives(async () => {
			await fc.assert(
				fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 60 }), async (texts) => {
					const client = await connectSpeaker(server.url);
					for (const text of texts) client.send(text);
					client.send('{"type":"@ping","correlationId":"after"}');
					await client.next((answer) => String(answer).includes('"correlationId":"after"'));
					await client.terminate();
				}),
				{ numRuns: 60, endOnFailure: true },
			);
		});
	});

	it('valid and invalid frames', async () => {
		const options = fc.record(
			{
				opcode: fc.nat(15),
				fin: fc.boolean(),
				reservedBits: fc.constantFrom(0, 0, 0, 1, 4, 7),
				masked: fc.constantFrom(true, true, true, false),
				length: fc.constantFrom(undefined as never, 0n, 125n, 65_535n, 65_536n, 2n ** 31n, 2n ** 32n, 2n ** 63n),
			},
			{ requiredKeys: [] },
		);
		const bytes = fc.oneof(
			fc.tuple(fc.uint8Array({ maxLength: 200 }), options).map(([payload, how]) => frame(payload, how)),
			fc.uint8Array({ maxLength: 300 }),
		);
		await server.survives(async () => {
			await fc.assert(
				fc.asyncProperty(fc.array(bytes, { minLength: 1, maxLength: 20 }), async (chunks) => {
					const client = await connectRawWebSocket(server.port);
					for (const chunk of chunks) client.write(chunk);
					await until(() => client.isClosed || client.isFlushed, {
						what: 'everything is sent, or the connection is closed',
					});
					client.end();
				}),
				{ numRuns: 150, endOnFailure: true },
			);
		});
	});
});
