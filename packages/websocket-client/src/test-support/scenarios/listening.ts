import { strict as assert } from 'node:assert';
import { isMessage } from '../../index.ts';
import { eventually } from '../assertions.ts';
import { Numbered, Say } from '../messages.ts';
import { readyClient } from '../run-scenario.ts';
import type { Scenario } from '../test-server.ts';

export const listening: Record<string, Scenario> = {
	'a message reaches every listener of its kind until its undo': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		await client.subscribe('t');
		const received: unknown[] = [];
		const undo = client.on(Numbered, ({ n }) => received.push(['first', n]));
		client.on(Numbered, ({ n }) => received.push(['second', n]));
		client.on(Say, () => received.push('another kind'));

		await server.emit('t', 1);
		await eventually(() => received.length === 2, 'both have received it');
		undo();
		undo();
		await server.emit('t', 2);
		await eventually(() => received.length >= 3, 'the second listener has received the other message');
		assert.deepEqual(received, [
			['first', 1],
			['second', 1],
			['second', 2],
		]);
	},

	'onAny() receives every message, of whatever kind and topic, after the listeners of its kind': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		await client.subscribe('t', { onMessage: () => received.push('subscription') });
		const received: unknown[] = [];
		const undo = client.onAny(({ name, topic, data }) => received.push([name, topic, data]));
		client.on(Numbered, ({ n }) => received.push(n));
		await server.emit('t', 1);
		await server.sendTo(client.socketId ?? '', 2);
		await eventually(() => received.length === 5, 'both messages have arrived');
		undo();
		await server.sendTo(client.socketId ?? '', 3);
		await eventually(() => received.includes(3), 'the last message has arrived');
		assert.deepEqual(received, [
			'subscription',
			1,
			['numbered', 't', { n: 1 }],
			2,
			['numbered', undefined, { n: 2 }],
			3,
		]);
	},

	'a function added twice is called twice, and has two undos': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		await client.subscribe('t');
		const received: number[] = [];
		const listener = ({ n }: { n: number }): void => void received.push(n);
		const undo = client.on(Numbered, listener);
		client.on(Numbered, listener);
		await server.emit('t', 1);
		await eventually(() => received.length === 2, 'it is called twice');
		undo();
		await server.emit('t', 2);
		await server.emit('t', 3);
		await eventually(() => received.includes(3), 'the last message has arrived');
		assert.deepEqual(received, [1, 1, 2, 3]);
	},

	'the envelope has name, topic and timestamp; messages to the client itself have no topic': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		await client.subscribe('t');
		const before = Date.now();
		const received: Record<string, unknown>[] = [];
		client.on(Numbered, (_, envelope) => received.push({ ...envelope }));
		await server.emit('t', 1);
		await eventually(() => received.length === 1, 'the first message has arrived');
		await server.sendTo(client.socketId ?? '', 2);
		await eventually(() => received.length === 2, 'both messages have arrived');
		const [first, second] = received;
		assert.deepEqual({ ...first, timestamp: 0 }, { name: 'numbered', data: { n: 1 }, timestamp: 0, topic: 't' });
		assert.deepEqual({ ...second, timestamp: 0 }, { name: 'numbered', data: { n: 2 }, timestamp: 0 });
		assert.ok((first?.['timestamp'] as number) >= before - 5);
	},

	'a listener may add and undo listeners while it is called': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const received: string[] = [];
		const undos: (() => void)[] = [];
		const grow = ({ n }: { n: number }): void => {
			received.push(`grown ${n}`);
			if (received.length < 50) undos.push(client.on(Numbered, grow));
		};
		undos.push(client.on(Numbered, grow));
		await server.sendTo(client.socketId ?? '', 1);
		await eventually(() => received.length > 0, 'the message has arrived');
		assert.deepEqual(received, ['grown 1']);
		for (const undo of undos) undo();

		const undoMe = client.on(Numbered, () => {
			received.push('once');
			undoMe();
		});
		await server.sendTo(client.socketId ?? '', 2);
		const last = new Promise<void>((resolve) => client.on(Numbered, ({ n }) => n === 3 && resolve()));
		await server.sendTo(client.socketId ?? '', 3);
		await last;
		assert.deepEqual(received, ['grown 1', 'once']);
	},

	'messages of one topic arrive once each, in order': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const received: number[] = [];
		await client.subscribe('t', {
			onMessage(data, envelope) {
				if (isMessage(Numbered, envelope)) received.push(envelope.data.n);
				else assert.fail(`not ${String(data)}`);
			},
		});
		const all = Array.from({ length: 200 }, (_, n) => n);
		await server.emitAll('t', all);
		await eventually(() => received.length === all.length, 'all messages have arrived');
		assert.deepEqual(received, all);
	},

	'listeners are kept over a reconnect, and over close() and connect()': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const received: number[] = [];
		client.on(Numbered, ({ n }) => received.push(n));
		await server.kill();
		await server.serve();
		await eventually(() => client.state === 'ready', 'the client has reconnected');
		await server.sendTo(client.socketId ?? '', 1);
		await eventually(() => received.length === 1, 'the first message has arrived');
		await client.close();
		await client.connect();
		await server.sendTo(client.socketId ?? '', 2);
		await eventually(() => received.length === 2, 'the second message has arrived');
	},
};
