import { strict as assert } from 'node:assert';
import { UnsentMessageError } from '../../index.ts';
import { Add, Say } from '../messages.ts';
import { clientOf, eventually, readyClient, rejection, untilState } from '../play.ts';
import type { Scenario } from '../stage.ts';

/** Does not come back by itself while a scenario lasts: a shorter wait is one in thousands. */
const PATIENT = { minDelayMs: 60_000_000, maxDelayMs: 60_000_000 };

export const comingBack: Record<string, Scenario> = {
	'connect() while it waits is the next try, also when the server has said when to come': async (stage) => {
		await stage.serveRaw();
		const client = await readyClient(stage, { reconnect: PATIENT });
		for (const reason of ['', 'server is stopping; retry-after-ms=600000']) {
			await stage.kick(1012, reason);
			await untilState(client, 'waiting');
			await client.connect();
			assert.equal(client.state, 'ready');
		}
		assert.equal(await stage.accepted(), 3);
	},

	'over a restart in order, every request is answered, and handled once': async (stage) => {
		// So many that some are always on their way.
		const often = { messagesPerSecond: 5_000 };
		await stage.serve(often);
		const client = await readyClient(stage, { queue: { messages: 5_000, characters: 1_000_000 } });
		const asked: Promise<number>[] = [];
		const timer = setInterval(() => {
			for (let i = 0; i < 5; i++) asked.push(client.request(Add, { a: asked.length, b: 0 }));
		}, 2);
		for (let restarts = 0; restarts < 3; restarts++) {
			const before = asked.length;
			await eventually(() => asked.length > before + 50, 'some more are asked');
			await stage.stop();
			await stage.serve(often);
			await untilState(client, 'ready');
		}
		clearInterval(timer);
		assert.deepEqual(
			await Promise.all(asked),
			asked.map((_, index) => index),
		);
		const handled = (await stage.handled()).map(({ data }) => (data as { a: number }).a);
		assert.deepEqual(
			handled.toSorted((one, other) => one - other),
			asked.map((_, index) => index),
		);
	},

	'what is not to wait for a connection rejects where there is none, and is not reported': async (stage) => {
		await stage.serve();
		const client = clientOf(stage);
		const error = await rejection(client.send(Say, { text: 'early' }, { queue: false }));
		assert.ok(error instanceof UnsentMessageError);
		assert.equal(error.code, 'not_ready');
		await client.connect();
		await client.send(Say, { text: 'in time' }, { queue: false });
		await eventually(async () => (await stage.handled()).length > 0, 'it is handled');
		assert.deepEqual(
			(await stage.handled()).map(({ data }) => data),
			[{ text: 'in time' }],
		);
	},
};
