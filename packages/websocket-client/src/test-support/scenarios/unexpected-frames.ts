import { strict as assert } from 'node:assert';
import { eventually } from '../assertions.ts';
import { Add, Numbered } from '../messages.ts';
import { connectErrorsOf, failuresOf, newClient, readyClient, statesOf } from '../run-scenario.ts';
import type { Scenario, TestServer } from '../test-server.ts';

/** Texts that a server without typed messages could send. */
const RAW = ['hello', '', '[]', 'null', '5', '"text"', 'true', '{}', '{"type":5}', '{"name":"x"}', '{"type":"x"}', '{'];

/** Frames that no OriJS server sends. */
const HOSTILE = [
	'{"type":"@gap"}',
	'{"type":"@gap","data":null}',
	'{"type":"@gap","data":{"topic":7}}',
	'{"type":"@gap","data":{"topic":"t"}}',
	'{"type":"@gap","data":{"topic":"t","since":"1","until":{}}}',
	'{"type":"@auth","correlationId":"@1","data":null}',
	'{"type":"@ping","correlationId":"@99","data":null}',
	'{"type":"x","correlationId":"1"}',
	'{"type":"x","correlationId":"1","error":{"code":5}}',
	'{"type":"x","error":null}',
	'{"name":"numbered","timestamp":"soon"}',
	'{"name":"__proto__","timestamp":1,"data":null,"topic":"__proto__"}',
	'{"name":"constructor","timestamp":1,"correlationId":"toString","data":null}',
];

async function sendAll(server: TestServer, texts: readonly string[]): Promise<void> {
	for (const text of texts) await server.sendRaw(text);
}

/** Resolves once the client has received everything that was sent so far. */
async function stillWorks(server: TestServer, client: Awaited<ReturnType<typeof readyClient>>): Promise<void> {
	let marked = false;
	const undo = client.on(Numbered, ({ n }) => (marked ||= n === 99));
	await server.sendRaw('{"name":"numbered","timestamp":1,"data":{"n":99}}');
	await eventually(() => marked, 'a message still arrives');
	undo();
}

const REFUSED = /^the server refused @auth$/;

export const unexpectedFrames: Record<string, Scenario> = {
	'text and bytes without a schema reach onRaw unchanged': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		await client.subscribe('t');
		const received: unknown[] = [];
		client.onRaw((data) => received.push(typeof data === 'string' ? data : [...new Uint8Array(data)]));
		for (const text of RAW) await server.publish('t', text);
		await server.publishBytes('t', [0, 1, 255]);
		await server.broadcast('to all');
		await eventually(() => received.length === RAW.length + 2, 'all messages have arrived');
		assert.deepEqual(received, [...RAW, [0, 1, 255], 'to all']);
	},

	'survives frames that make no sense': async (server) => {
		await server.serveRaw();
		const client = await readyClient(server);
		const gaps: unknown[] = [];
		client.onGap((gap) => gaps.push(gap));
		await client.subscribe('t', { onGap: (gap) => gaps.push(gap) });
		failuresOf(client);
		await sendAll(server, HOSTILE);
		await server.sendRawBytes([1, 2, 3]);
		await stillWorks(server, client);
		assert.deepEqual(gaps, []);
		assert.deepEqual(statesOf(client), ['connecting', 'ready']);
	},

	'survives a huge message, and deeply nested JSON': async (server) => {
		await server.serveRaw();
		const client = await readyClient(server);
		let characters = 0;
		client.on(Numbered, (data) => (characters += (data as { text?: string }).text?.length ?? 0));
		const text = 'x'.repeat(4 * 1024 * 1024);
		await server.sendRaw(JSON.stringify({ name: 'numbered', timestamp: 1, data: { n: 1, text } }));
		await server.sendRaw('['.repeat(100_000));
		await stillWorks(server, client);
		assert.equal(characters, text.length);
	},

	...Object.fromEntries(
		['null', '{}', '[]', '"text"', '{"timestamp":"soon"}', 'undefined'].map((data): [string, Scenario] => [
			`a server that answers @auth with ${data} is reported, and retried`,
			async (server) => {
				await server.serveRaw({ answers: false });
				const client = newClient(server);
				void client.connect();
				await eventually(async () => (await server.received()).length > 0, '@auth has arrived');
				const answer = data === 'undefined' ? '' : `,"data":${data}`;
				await server.sendRaw(`{"type":"@auth","correlationId":"@1"${answer}}`);
				await eventually(() => statesOf(client).includes('waiting'), 'the attempt has failed');
				assert.match(connectErrorsOf(client)[0]?.message ?? '', REFUSED);
			},
		]),
	),

	'a server that refuses @auth without closing is reported, and retried': async (server) => {
		await server.serveRaw({ answers: false });
		const client = newClient(server);
		void client.connect();
		await eventually(async () => (await server.received()).length > 0, '@auth has arrived');
		await server.sendRaw('{"type":"@auth","correlationId":"@1","error":{"code":"unknown_type","message":"no"}}');
		await eventually(() => statesOf(client).includes('waiting'), 'the attempt has failed');
		assert.match(connectErrorsOf(client)[0]?.message ?? '', REFUSED);
	},

	...Object.fromEntries(
		['null', '5', '{"refused":5}', '{"refused":[null]}', '{"refused":{}}'].map((data): [string, Scenario] => [
			`survives a server that answers @subscribe with ${data}`,
			async (server) => {
				await server.serveRaw({ answers: false });
				const client = newClient(server);
				failuresOf(client);
				const ready = client.connect();
				await eventually(async () => (await server.received()).length > 0, '@auth has arrived');
				await server.sendRaw('{"type":"@auth","correlationId":"@1","data":{"socketId":"x","timestamp":1}}');
				await ready;
				void client.subscribe('t');
				await eventually(async () => (await server.received()).length > 1, '@subscribe has arrived');
				await server.sendRaw(`{"type":"@subscribe","correlationId":"@2","data":${data}}`);
				await stillWorks(server, client);
			},
		]),
	),

	'an invalid answer to a ping still counts as a sign of life': async (server) => {
		await server.serveRaw({ answers: false });
		const client = newClient(server, { heartbeat: { intervalMs: 50, timeoutMs: 1_000 } });
		const ready = client.connect();
		await eventually(async () => (await server.received()).length > 0, '@auth has arrived');
		await server.sendRaw('{"type":"@auth","correlationId":"@1","data":{"socketId":"x","timestamp":1}}');
		await ready;
		for (let ping = 2; ping < 5; ping++) {
			await eventually(async () => (await server.received()).length >= ping, 'the client pings');
			await server.sendRaw(`{"type":"@ping","correlationId":"@${ping}","data":null}`);
		}
		assert.deepEqual(statesOf(client), ['connecting', 'ready']);
	},

	'ignores a second answer to a request': async (server) => {
		await server.serveRaw();
		const client = await readyClient(server);
		const pending = client.request(Add, { a: 1, b: 1 });
		await eventually(async () => (await server.received()).length > 1, 'the request has arrived');
		await server.sendRaw('{"type":"add","correlationId":"1","data":2}');
		await server.sendRaw('{"type":"add","correlationId":"1","data":3}');
		assert.equal(await pending, 2);
		await stillWorks(server, client);
	},
};
