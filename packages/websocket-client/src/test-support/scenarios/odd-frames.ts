import { strict as assert } from 'node:assert';
import { Add, Numbered } from '../messages.ts';
import { clientOf, eventually, failuresOf, readyClient, statesOf, untilState } from '../play.ts';
import type { Scenario, Stage } from '../stage.ts';

/** What a server without typed messages may send. */
const RAW = ['hello', '', '[]', 'null', '5', '"text"', 'true', '{}', '{"type":5}', '{"name":"x"}', '{"type":"x"}', '{'];

/** What no server of ours sends. */
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

async function sayAll(stage: Stage, texts: readonly string[]): Promise<void> {
	for (const text of texts) await stage.say(text);
}

/** Resolves once everything that was said before has been heard. */
async function stillWorks(stage: Stage, client: Awaited<ReturnType<typeof readyClient>>): Promise<void> {
	let marked = false;
	const undo = client.on(Numbered, ({ n }) => (marked ||= n === 99));
	await stage.say('{"name":"numbered","timestamp":1,"data":{"n":99}}');
	await eventually(() => marked, 'a message still comes');
	undo();
}

export const oddFrames: Record<string, Scenario> = {
	'text without a schema, and bytes, reach onRaw as they are': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		await client.subscribe('t');
		const heard: unknown[] = [];
		client.onRaw((data) => heard.push(typeof data === 'string' ? data : [...new Uint8Array(data)]));
		for (const text of RAW) await stage.publish('t', text);
		await stage.publishBytes('t', [0, 1, 255]);
		await stage.broadcast('to all');
		await eventually(() => heard.length === RAW.length + 2, 'all has come');
		assert.deepEqual(heard, [...RAW, [0, 1, 255], 'to all']);
	},

	'a server that says what makes no sense breaks nothing': async (stage) => {
		await stage.serveRaw();
		const client = await readyClient(stage);
		const gaps: unknown[] = [];
		client.onGap((gap) => gaps.push(gap));
		await client.subscribe('t', { onGap: (gap) => gaps.push(gap) });
		failuresOf(client);
		await sayAll(stage, HOSTILE);
		await stage.sayBytes([1, 2, 3]);
		await stillWorks(stage, client);
		assert.deepEqual(gaps, []);
		assert.deepEqual(statesOf(client), ['connecting', 'ready']);
	},

	'a huge message, and many, break nothing': async (stage) => {
		await stage.serveRaw();
		const client = await readyClient(stage);
		let characters = 0;
		client.on(Numbered, (data) => (characters += (data as { text?: string }).text?.length ?? 0));
		const text = 'x'.repeat(4 * 1024 * 1024);
		await stage.say(JSON.stringify({ name: 'numbered', timestamp: 1, data: { n: 1, text } }));
		await stage.say('['.repeat(100_000));
		await stillWorks(stage, client);
		assert.equal(characters, text.length);
	},

	...Object.fromEntries(
		['null', '{}', '[]', '"text"', '{"timestamp":"soon"}', 'undefined'].map((data): [string, Scenario] => [
			`a server that answers @auth with ${data} is reported, and tried again`,
			async (stage) => {
				await stage.serveRaw({ answers: false });
				const client = clientOf(stage);
				void client.connect();
				await eventually(async () => (await stage.heard()).length > 0, 'the guards are asked');
				const answer = data === 'undefined' ? '' : `,"data":${data}`;
				await stage.say(`{"type":"@auth","correlationId":"@1"${answer}}`);
				await eventually(() => statesOf(client).includes('waiting'), 'it is given up');
				assert.equal(failuresOf(client)[0]?.[0], 'protocol');
				assert.equal(failuresOf(client)[0]?.[1].name, 'ProtocolError');
			},
		]),
	),

	'a server that refuses @auth and stays is reported, and tried again': async (stage) => {
		await stage.serveRaw({ answers: false });
		const client = clientOf(stage);
		void client.connect();
		await eventually(async () => (await stage.heard()).length > 0, 'the guards are asked');
		await stage.say('{"type":"@auth","correlationId":"@1","error":{"code":"unknown_type","message":"no"}}');
		await untilState(client, 'waiting');
		assert.equal(failuresOf(client)[0]?.[0], 'protocol');
	},

	...Object.fromEntries(
		['null', '5', '{"refused":5}', '{"refused":[null]}', '{"refused":{}}'].map((data): [string, Scenario] => [
			`a server that answers @subscribe with ${data} breaks nothing`,
			async (stage) => {
				await stage.serveRaw({ answers: false });
				const client = clientOf(stage);
				failuresOf(client);
				const ready = client.connect();
				await eventually(async () => (await stage.heard()).length > 0, 'the guards are asked');
				await stage.say('{"type":"@auth","correlationId":"@1","data":{"socketId":"x","timestamp":1}}');
				await ready;
				void client.subscribe('t');
				await eventually(async () => (await stage.heard()).length > 1, 'the topic is asked for');
				await stage.say(`{"type":"@subscribe","correlationId":"@2","data":${data}}`);
				await stillWorks(stage, client);
			},
		]),
	),

	'a server that answers pings with nonsense is there all the same': async (stage) => {
		await stage.serveRaw({ answers: false });
		const client = clientOf(stage, { heartbeat: { intervalMs: 50, timeoutMs: 1_000 } });
		const ready = client.connect();
		await eventually(async () => (await stage.heard()).length > 0, 'the guards are asked');
		await stage.say('{"type":"@auth","correlationId":"@1","data":{"socketId":"x","timestamp":1}}');
		await ready;
		for (let ping = 2; ping < 5; ping++) {
			await eventually(async () => (await stage.heard()).length >= ping, 'it pings');
			await stage.say(`{"type":"@ping","correlationId":"@${ping}","data":null}`);
		}
		assert.deepEqual(statesOf(client), ['connecting', 'ready']);
	},

	'an answer that was given already changes nothing': async (stage) => {
		await stage.serveRaw();
		const client = await readyClient(stage);
		const asked = client.request(Add, { a: 1, b: 1 });
		await eventually(async () => (await stage.heard()).length > 1, 'it is asked');
		await stage.say('{"type":"add","correlationId":"1","data":2}');
		await stage.say('{"type":"add","correlationId":"1","data":3}');
		assert.equal(await asked, 2);
		await stillWorks(stage, client);
	},
};
