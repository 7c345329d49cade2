import { strict as assert } from 'node:assert';
import { ClientClosedError, InvalidClientOptionError, type SocketClient, SocketRequestError } from '../../index.ts';
import { assertRefused, eventually, isSettled, rejection, untilState } from '../assertions.ts';
import { numberCollector } from '../number-collector.ts';
import { failuresOf, newClient, readyClient } from '../run-scenario.ts';
import type { Scenario, TestServer } from '../test-server.ts';

const LONG = 'long:t';
const OTHER = 'long:other';

/** Resolves once the client has received everything that was sent to it so far. */
async function allReceived(client: SocketClient): Promise<void> {
	const marker = client.subscribe('marker');
	await marker;
	await marker.close();
}

/** Resolves with a client of a raw server that answers nothing except `@auth`. */
async function rawClient(server: TestServer): Promise<SocketClient> {
	await server.serveRaw({ answers: false });
	const client = newClient(server);
	const connected = client.connect();
	await eventually(async () => (await server.received()).length === 1, '@auth has arrived');
	await server.sendRaw('{"type":"@auth","correlationId":"@1","data":{"socketId":"s","timestamp":1000000}}');
	await connected;
	return client;
}

/** Lets time pass, so that a request is at another stage: not sent, on its way, or answered. */
const STAGES: readonly (() => Promise<unknown>)[] = [
	async () => {},
	() => Promise.resolve().then(() => {}),
	() => new Promise((resolve) => setTimeout(resolve, 0)),
	() => new Promise((resolve) => setTimeout(resolve, 1)),
	() => new Promise((resolve) => setTimeout(resolve, 5)),
];

const FIVE = [1, 2, 3, 4, 5];

export const givingUpSubscriptions: Record<string, Scenario> = {
	'subscribe() returns a subscription that can be closed before it is confirmed': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const numbers = numberCollector();
		const subscription = client.subscribe('t', numbers);
		assert.equal(subscription.topic, 't');
		await subscription.close();
		const error = await rejection(subscription);
		assertRefused(error, 'closed');
		assert.match(error.message, /@subscribe t .*closed before it was confirmed/);
		await server.emit('t', 1);
		await allReceived(client);
		assert.deepEqual([numbers.received, await server.subscribedTopics()], [[], []]);
	},

	'a promise is returned, which resolves with the subscription': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const pending = client.subscribe('t');
		assert.ok(pending instanceof Promise);
		const subscription = await pending;
		assert.deepEqual([subscription.topic, 'then' in subscription], ['t', false]);
		failuresOf(client);
		let settled = 0;
		await pending.finally(() => settled++);
		await client
			.subscribe('no spaces')
			.catch(() => settled++)
			.finally(() => settled++);
		assert.equal(settled, 3);
		await subscription.close();
		assert.deepEqual(await server.subscribedTopics(), []);
	},

	'no handler is called after close(), even if the server confirms later': async (server) => {
		const client = await rawClient(server);
		const heard: unknown[] = [];
		const hear = (what: unknown): unknown => heard.push(what);
		const subscription = client.subscribe('t', { onMessage: hear, onGap: hear, onRecovered: hear, onRefused: hear });
		await eventually(async () => (await server.received()).length === 2, '@subscribe has arrived');
		const closed = subscription.close();
		const gaps: unknown[] = [];
		client.onGap((gap) => gaps.push(gap));
		for (const frame of [
			'{"type":"@position","data":{"topics":["t"],"epoch":"e","offset":1,"recovered":true,"count":1}}',
			'{"name":"numbered","data":{"n":1},"timestamp":1,"topic":"t"}',
			'{"name":"numbered","data":{"n":2},"timestamp":1,"topic":"t","position":{"epoch":"e","offset":2,"prev":1}}',
			'{"type":"@gap","data":{"topic":"t","since":1,"until":2}}',
			'{"type":"@subscribe","correlationId":"@2","data":{"timestamp":1000000,"refused":[]}}',
		])
			await server.sendRaw(frame);
		await eventually(async () => (await server.received()).length === 3, '@unsubscribe has arrived');
		assert.match((await server.received())[2]?.text ?? '', /@unsubscribe/);
		assert.equal(await isSettled(closed), false);
		await server.sendRaw('{"type":"@unsubscribe","correlationId":"@3","data":{"timestamp":1000000,"refused":[]}}');
		await closed;
		assert.equal(gaps.length, 1);
		assert.deepEqual([heard, client.positions], [[], {}]);
	},

	'onRefused is not called after close()': async (server) => {
		await server.serve();
		await server.forbid(['secret']);
		const client = await readyClient(server);
		const refused: unknown[] = [];
		const subscription = client.subscribe('secret', { onRefused: (error) => refused.push(error) });
		await Promise.resolve();
		const closed = subscription.close();
		assertRefused(await rejection(subscription), 'closed');
		await closed;
		await allReceived(client);
		assert.deepEqual([refused, failuresOf(client)], [[], []]);
	},

	'onRefused is also called for the first refusal': async (server) => {
		await server.serve();
		await server.forbid(['secret']);
		const client = await readyClient(server);
		const refused: unknown[] = [];
		const subscription = client.subscribe('secret', {
			onRefused(error) {
				refused.push(error);
				void subscription.close();
			},
		});
		const error = await rejection(subscription);
		assertRefused(error, 'forbidden');
		assert.deepEqual(refused, [error]);
	},

	'a handler that closes the subscription is not called again': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const received: number[] = [];
		const subscription = client.subscribe('t', {
			onMessage(data) {
				received.push((data as { n: number }).n);
				void subscription.close();
			},
		});
		await subscription;
		await server.emitAll('t', FIVE);
		await allReceived(client);
		assert.deepEqual(received, [1]);
	},

	'a handler may subscribe to its own topic, and close other subscriptions': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const received: string[] = [];
		let added = 0;
		const first = client.subscribe('t', {
			onMessage() {
				received.push('first');
				void second.close();
				if (added++ < 10) void client.subscribe('t', { onMessage: () => received.push('added') });
			},
		});
		const second = client.subscribe('t', { onMessage: () => received.push('second') });
		await Promise.all([first, second]);
		await server.emit('t', 1);
		await allReceived(client);
		assert.deepEqual(received, ['first']);
	},

	'a gap handler may close other subscriptions, whose handlers are then not called': async (server) => {
		await server.serveRaw();
		const client = await readyClient(server);
		const received: string[] = [];
		const first = client.subscribe('t', {
			onGap() {
				received.push('first');
				void second.close();
			},
		});
		const second = client.subscribe('t', { onGap: () => received.push('second') });
		await Promise.all([first, second]);
		await server.sendRaw('{"type":"@gap","data":{"topic":"t","since":1,"until":2}}');
		await allReceived(client);
		assert.deepEqual(received, ['first']);
	},

	'subscribe, close, subscribe: each message of the rewind arrives once, at every stage': async (server) => {
		await server.serve();
		await server.emitAll(LONG, FIVE);
		for (const [index, stage] of STAGES.entries()) {
			const client = await readyClient(server);
			const numbers = numberCollector();
			const first = client.subscribe(LONG, { rewind: 20, onMessage: () => {} });
			await stage();
			void first.close();
			const second = client.subscribe(LONG, { rewind: 20, onMessage: numbers.onMessage });
			await second;
			await server.emit(LONG, 6 + index);
			const expected = [...FIVE, ...STAGES.slice(0, index + 1).map((_, i) => 6 + i)];
			await eventually(() => numbers.received.at(-1) === 6 + index, 'the live message arrives');
			assert.deepEqual(numbers.received, expected, `stage ${index}`);
			await client.close();
		}
	},

	'a component that mounts, unmounts and mounts again shows each message once': async (server) => {
		await server.serve();
		await server.emitAll(LONG, FIVE);
		for (const stage of STAGES) {
			const client = await readyClient(server);
			const numbers = numberCollector();
			const mount = (): (() => unknown) => {
				const subscription = client.subscribe(LONG, { rewind: 20, onMessage: numbers.onMessage });
				return () => subscription.close();
			};
			const unmount = mount();
			unmount();
			await stage();
			mount();
			await allReceived(client);
			assert.deepEqual(numbers.received, FIVE);
			await client.close();
		}
	},

	'changing rooms quickly: nothing arrives of a room that was left': async (server) => {
		await server.serve();
		await server.emitAll(LONG, FIVE);
		await server.emitAll(OTHER, [11, 12, 13]);
		for (const stage of STAGES) {
			const client = await readyClient(server);
			const numbers = numberCollector();
			const visited: number[][] = [];
			for (const topic of [OTHER, LONG, OTHER, LONG]) {
				const room: number[] = [];
				visited.push(room);
				const subscription = client.subscribe(topic, {
					rewind: 20,
					onMessage: (data) => room.push((data as { n: number }).n),
				});
				await stage();
				void subscription.close();
			}
			const heard = JSON.stringify(visited);
			await client.subscribe(LONG, { rewind: 20, onMessage: numbers.onMessage });
			await allReceived(client);
			assert.deepEqual(numbers.received, FIVE);
			assert.equal(JSON.stringify(visited), heard);
			assert.deepEqual(await server.subscribedTopics(), [LONG]);
			await client.close();
		}
	},

	'a subscription without rewind receives nothing of the rewind of one that was closed': async (server) => {
		await server.serve();
		await server.emitAll(LONG, FIVE);
		for (const stage of STAGES) {
			const client = await readyClient(server);
			const numbers = numberCollector();
			const first = client.subscribe(LONG, { rewind: 20 });
			await stage();
			void first.close();
			await client.subscribe(LONG, numbers);
			await allReceived(client);
			assert.deepEqual(numbers.received, []);
			await client.close();
		}
	},

	'frames for a closed subscription are not taken for those of the next one': async (server) => {
		const client = await rawClient(server);
		const numbers: unknown[] = [];
		const first = client.subscribe('t', { rewind: 5 });
		await eventually(async () => (await server.received()).length === 2, '@subscribe has arrived');
		void first.close();
		const second = client.subscribe('t', { rewind: 3, onMessage: (data) => numbers.push(data) });
		const message = (n: number): Promise<void> =>
			server.sendRaw(
				JSON.stringify({
					name: 'numbered',
					data: n,
					timestamp: 1,
					topic: 't',
					position: { epoch: 'e', offset: n, prev: n - 1 },
				}),
			);
		const position = (offset: number): Promise<void> =>
			server.sendRaw(`{"type":"@position","data":{"topics":["t"],"epoch":"e","offset":${offset},"count":0}}`);
		await position(0);
		await message(1);
		await server.sendRaw('{"type":"@subscribe","correlationId":"@2","data":{"timestamp":1000000,"refused":[]}}');
		await eventually(async () => (await server.received()).length === 3, '@subscribe has arrived again');
		const { type, data } = JSON.parse((await server.received())[2]?.text ?? '');
		assert.deepEqual([type, data], ['@subscribe', { topics: [{ topic: 't', rewind: 3 }] }]);
		await message(2);
		assert.equal(await isSettled(second), false);
		await position(0);
		await message(1);
		await message(2);
		await server.sendRaw('{"type":"@subscribe","correlationId":"@3","data":{"timestamp":1000000,"refused":[]}}');
		await second;
		assert.deepEqual([numbers, client.positions], [[1, 2], { t: { epoch: 'e', offset: 2 } }]);
	},

	'the refusal of a closed subscription does not end the next one': async (server) => {
		const client = await rawClient(server);
		const first = client.subscribe('t');
		await eventually(async () => (await server.received()).length === 2, '@subscribe has arrived');
		void first.close();
		const second = client.subscribe('t');
		await server.sendRaw(
			'{"type":"@subscribe","correlationId":"@2","data":{"timestamp":1,"refused":[{"topic":"t","code":"forbidden","message":"no"}]}}',
		);
		await eventually(async () => (await server.received()).length === 3, '@subscribe has arrived again');
		await server.sendRaw('{"type":"@subscribe","correlationId":"@3","data":{"timestamp":1,"refused":[]}}');
		assert.equal((await second).topic, 't');
	},

	'while the server has not unsubscribed a topic with history, a new subscription receives none of its messages':
		async (server) => {
			const client = await rawClient(server);
			const numbers: unknown[] = [];
			const first = client.subscribe('t');
			await eventually(async () => (await server.received()).length === 2, '@subscribe has arrived');
			await server.sendRaw('{"type":"@subscribe","correlationId":"@2","data":{"timestamp":1,"refused":[]}}');
			await first;
			void first.close();
			await eventually(async () => (await server.received()).length === 3, '@unsubscribe has arrived');
			await server.sendRaw(
				'{"type":"@unsubscribe","correlationId":"@3","data":{"timestamp":1,"refused":[{"topic":"t","code":"internal","message":"no"}]}}',
			);
			const marked = new Promise<void>((resolve) => client.onAny(() => resolve()));
			await server.sendRaw('{"name":"numbered","data":0,"timestamp":1}');
			await marked;
			// The refusal postpones the next request.
			void client.subscribe('t', { onMessage: (data) => numbers.push(data) });
			const position = { epoch: 'e', offset: 2, prev: 1 };
			await server.sendRaw(JSON.stringify({ name: 'numbered', data: 1, timestamp: 1, topic: 't', position }));
			await eventually(async () => (await server.received()).length === 4, '@subscribe has arrived again');
			assert.deepEqual(numbers, []);
		},

	'a topic that is refused when it is subscribed again at once is unsubscribed': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const first = await client.subscribe('plain');
		const closed = first.close();
		assertRefused(await rejection(client.subscribe('plain', { rewind: 5 })), 'invalid_data');
		await closed;
		await eventually(async () => (await server.subscribedTopics()).length === 0, 'it is unsubscribed');
	},

	'a topic that is subscribed again at once needs no permission again': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		for (const topic of [LONG, 'plain']) {
			const first = await client.subscribe(topic);
			await server.forbid([topic]);
			const closed = first.close();
			await client.subscribe(topic);
			await closed;
		}
		assert.deepEqual(await server.subscribedTopics(), [LONG, 'plain']);
	},

	'a plain topic that is subscribed again at once goes on': async (server) => {
		const client = await rawClient(server);
		const heard: unknown[] = [];
		const first = client.subscribe('t');
		await eventually(async () => (await server.received()).length === 2, '@subscribe has arrived');
		await server.sendRaw('{"type":"@subscribe","correlationId":"@2","data":{"timestamp":1000000,"refused":[]}}');
		await first;
		void first.close();
		const second = client.subscribe('t', { onMessage: (data) => heard.push(data) });
		await server.sendRaw('{"name":"numbered","data":1,"timestamp":1,"topic":"t"}');
		await eventually(() => heard.length === 1, 'a message arrives before the server has confirmed again');
		await eventually(async () => (await server.received()).length === 3, '@subscribe has arrived again');
		await server.sendRaw('{"type":"@subscribe","correlationId":"@3","data":{"timestamp":1000000,"refused":[]}}');
		await second;
	},

	'a saved position is kept until a subscription that resumes from it is confirmed': async (server) => {
		await server.serve();
		const first = await readyClient(server);
		const before = numberCollector();
		await first.subscribe(LONG, before);
		await server.emitAll(LONG, [1, 2]);
		await eventually(() => before.received.length === 2, 'two messages arrive');
		const { positions } = first;
		await server.emitAll(LONG, [3, 4]);
		for (const stage of STAGES.slice(0, 2)) {
			const client = await readyClient(server, { positions });
			const given = client.subscribe(LONG);
			await stage();
			void given.close();
			assert.deepEqual(client.positions, positions);
			const numbers = numberCollector();
			await client.subscribe(LONG, numbers);
			assert.deepEqual(numbers.received, [3, 4]);
			await client.close();
		}
	},

	'a signal closes a subscription that is pending, which rejects with the reason': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const numbers = numberCollector();
		const controller = new AbortController();
		const subscription = client.subscribe('t', { onMessage: numbers.onMessage, signal: controller.signal });
		const reason = new Error('unmounted');
		controller.abort(reason);
		assert.equal(await rejection(subscription), reason);
		assert.equal(await rejection(client.subscribe('t', { signal: controller.signal })), reason);
		await allReceived(client);
		assert.deepEqual(await server.subscribedTopics(), []);
	},

	'a signal closes a subscription that is confirmed': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const numbers = numberCollector();
		const controller = new AbortController();
		await client.subscribe('t', { onMessage: numbers.onMessage, signal: controller.signal });
		controller.abort();
		await server.emit('t', 1);
		await eventually(async () => (await server.subscribedTopics()).length === 0, 'it is unsubscribed');
		assert.deepEqual(numbers.received, []);
	},

	'timeoutMs closes a subscription that is not confirmed in time': async (server) => {
		await server.serve();
		const client = newClient(server);
		const offline = await rejection(client.subscribe('t', { timeoutMs: 5 }));
		assertRefused(offline, 'timeout');
		assert.match(offline.message, /not confirmed within 5 ms/);
		await client.connect();
		await server.network('freeze');
		const late = client.subscribe('late', { timeoutMs: 20 });
		assertRefused(await rejection(late), 'timeout');
		await server.network('thaw');
		const inTime = await client.subscribe('in-time', { timeoutMs: 5_000 });
		await eventually(async () => !(await server.subscribedTopics()).includes('late'), 'it is unsubscribed');
		assert.equal(inTime.topic, 'in-time');
	},

	'timeoutMs does not end a subscription that is confirmed': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const numbers = numberCollector();
		await client.subscribe('t', { onMessage: numbers.onMessage, timeoutMs: 200 });
		// A timer that was set later fires later.
		assertRefused(await rejection(newClient(server).subscribe('t', { timeoutMs: 201 })), 'timeout');
		await server.emit('t', 1);
		await eventually(() => numbers.received.length === 1, 'the message arrives');
	},

	'invalid options reject with a named error, which lists what is allowed': async (server) => {
		const client = newClient(server);
		failuresOf(client);
		const invalid: [object | null, RegExp][] = [
			[{ ongap() {} }, /one of .*onGap.*, not "ongap"/],
			[{ onMessage: 'log' }, /onMessage must be a function, not "log"/],
			[{ onGap: null }, /onGap must be a function/],
			[{ rewind: 0 }, /rewind must be a whole number from 1 to 100000, not 0/],
			[{ buffer: 1.5 }, /buffer must be a whole number from 1 to 1000000, not 1.5/],
			[{ timeoutMs: '5' }, /timeoutMs must be a number .*, not "5"/],
			[{ signal: 'soon' }, /signal must be an AbortSignal, not "soon"/],
			[null, /subscription must be an object/],
		];
		for (const [options, text] of invalid) {
			const error = await rejection(client.subscribe('t', options as never));
			assert.ok(error instanceof InvalidClientOptionError, String(error));
			assert.match(error.message, text);
		}
		const noFunction = await rejection(client.subscribe('t', (() => {}) as never));
		assert.match(noFunction.message, /must be an object/);
		const noDefinition = await rejection(client.subscribe('t', { message: 'said' as never }));
		assert.equal(noDefinition.name, 'InvalidMessageDefinitionError');
	},

	'a subscription that cannot begin is reported, since it need not be awaited': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const failures = failuresOf(client);
		const valid = await client.subscribe('t');
		void client.subscribe('no spaces');
		void client.subscribe('t', { ongap() {} } as never);
		void client.subscribe('t', { message: 'said' as never });
		await client.close();
		void client.subscribe('t', { onRefused: () => assert.fail('the server refused nothing') });
		assert.deepEqual(
			failures.map(([stage, { name }]) => [stage, name]),
			[
				['subscribe', 'InvalidTopicError'],
				['subscribe', 'InvalidClientOptionError'],
				['subscribe', 'InvalidMessageDefinitionError'],
				['subscribe', 'ClientClosedError'],
			],
		);
		await valid.close();
	},

	'a subscription need not be awaited: no rejection is unhandled': async (server) => {
		await server.serve();
		await server.forbid(['secret']);
		const client = await readyClient(server);
		failuresOf(client);
		void client.subscribe('secret');
		void client.subscribe('t').close();
		void client.subscribe('t', { signal: AbortSignal.abort() });
		void client.subscribe('t', { ongap() {} } as never);
		await allReceived(client);
		void client.subscribe('pending');
		await client.close();
		const error = await rejection(client.subscribe('t'));
		assert.ok(error instanceof ClientClosedError && !(error instanceof SocketRequestError));
		await untilState(client, 'closed');
	},
};
