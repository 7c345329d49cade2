import { strict as assert } from 'node:assert';
import type { SocketRequestError } from '../../index.ts';
import { eventually, failuresOf, readyClient } from '../play.ts';
import type { Scenario } from '../stage.ts';

const topics = (count: number): string[] => Array.from({ length: count }, (_, i) => `topic:${i}`);

export const resubscribing: Record<string, Scenario> = {
	'150 topics come back within the default limits': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		await Promise.all(topics(150).map((topic) => client.subscribe(topic)));
		for (let i = 0; i < 3; i++) {
			await stage.kill();
			await stage.serve();
			await client.connect();
			await eventually(async () => (await stage.joined()).length === 150, 'all topics are back');
		}
		assert.deepEqual(await stage.joined(), topics(150).toSorted());
	},

	'one that is refused after a reconnect is over, and says so': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const refused: SocketRequestError[] = [];
		const subscription = await client.subscribe('t', { onRefused: (error) => refused.push(error) });
		await client.subscribe('other');
		await stage.forbid(['t']);
		await stage.link('cut');
		await eventually(() => refused.length > 0, 'it is told');
		assert.equal(refused[0]?.code, 'forbidden');
		assert.deepEqual(
			failuresOf(client).map(([where, error]) => [where, error]),
			[['subscribe', refused[0]]],
		);
		await subscription.close();
		assert.deepEqual(await stage.joined(), ['other']);

		await stage.link('cut');
		await eventually(async () => (await stage.accepted()) === 3 && client.state === 'ready', 'it is back again');
		await client.subscribe('marker');
		assert.equal(refused.length, 1);
	},

	'one that is unavailable after a reconnect is tried until it works': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const heard: unknown[] = [];
		const gaps: unknown[] = [];
		const failures = failuresOf(client);
		await client.subscribe('t', {
			onMessage: (data) => heard.push(data),
			onGap: ({ topic }) => gaps.push(topic),
			onRefused: (error) => assert.fail(error),
		});
		await stage.breakBackend(true);
		await stage.kill();
		await stage.serve();
		await client.connect();
		await eventually(() => failures.length > 0, 'it is told of');
		assert.match(
			failures.map(([where, { message }]) => `${where}: ${message}`).join(),
			/^subscribe: @subscribe t .*unavailable/,
		);
		assert.deepEqual([await stage.joined(), gaps], [[], []]);
		await stage.breakBackend(false);
		await eventually(() => gaps.length > 0, 'it is back');
		await stage.emit('t', 1);
		await eventually(() => heard.length > 0, 'messages come');
		assert.deepEqual([heard, gaps], [[{ n: 1 }], ['t']]);
	},

	'one that the rate refuses is tried again, also the first time': async (stage) => {
		await stage.serveRaw({ answers: false });
		const client = await answeringByHand(stage);
		const subscribed = client.subscribe('t');
		await eventually(async () => (await stage.heard()).length === 2, 'it is asked for');
		await stage.say('{"type":"@subscribe","correlationId":"@2","error":{"code":"rate_limited","message":"slowly"}}');
		await eventually(async () => (await stage.heard()).length === 3, 'it is asked for again');
		await stage.say('{"type":"@subscribe","correlationId":"@3","data":{"timestamp":1,"refused":[]}}');
		await subscribed;
		const [, first, second] = await stage.heard();
		const waited = (second?.at ?? 0) - (first?.at ?? 0);
		assert.ok(waited > 900, `it was asked for again after ${waited} ms`);
	},
};

/** A client of a raw server that answers nothing by itself, but for this. */
async function answeringByHand(stage: Parameters<Scenario>[0]): ReturnType<typeof readyClient> {
	const ready = readyClient(stage);
	await eventually(async () => (await stage.heard()).length === 1, 'the guards are asked');
	await stage.say('{"type":"@auth","correlationId":"@1","data":{"socketId":"x","timestamp":1}}');
	return ready;
}
