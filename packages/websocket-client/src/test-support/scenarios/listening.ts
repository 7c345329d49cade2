import { strict as assert } from 'node:assert';
import { isMessage } from '../../index.ts';
import { Numbered, Say } from '../messages.ts';
import { eventually, readyClient } from '../play.ts';
import type { Scenario } from '../stage.ts';

export const listening: Record<string, Scenario> = {
	'a message reaches every listener of its kind until it is undone': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		await client.subscribe('t');
		const heard: unknown[] = [];
		const undo = client.on(Numbered, ({ n }) => heard.push(['first', n]));
		client.on(Numbered, ({ n }) => heard.push(['second', n]));
		client.on(Say, () => heard.push('another kind'));

		await stage.emit('t', 1);
		await eventually(() => heard.length === 2, 'both have heard it');
		undo();
		undo();
		await stage.emit('t', 2);
		await eventually(() => heard.length >= 3, 'the second has heard the other');
		assert.deepEqual(heard, [
			['first', 1],
			['second', 1],
			['second', 2],
		]);
	},

	'the same function given twice is called twice, and undone once each': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		await client.subscribe('t');
		const heard: number[] = [];
		const listener = ({ n }: { n: number }): void => void heard.push(n);
		const undo = client.on(Numbered, listener);
		client.on(Numbered, listener);
		await stage.emit('t', 1);
		await eventually(() => heard.length === 2, 'it is called twice');
		undo();
		await stage.emit('t', 2);
		await stage.emit('t', 3);
		await eventually(() => heard.includes(3), 'the last has come');
		assert.deepEqual(heard, [1, 1, 2, 3]);
	},

	'the envelope tells name, topic and when; what is for the client alone has no topic': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		await client.subscribe('t');
		const before = Date.now();
		const heard: Record<string, unknown>[] = [];
		client.on(Numbered, (_, envelope) => heard.push({ ...envelope }));
		await stage.emit('t', 1);
		await eventually(() => heard.length === 1, 'the first has come');
		await stage.sendTo(client.socketId ?? '', 2);
		await eventually(() => heard.length === 2, 'both have come');
		const [first, second] = heard;
		assert.deepEqual({ ...first, timestamp: 0 }, { name: 'numbered', data: { n: 1 }, timestamp: 0, topic: 't' });
		assert.deepEqual({ ...second, timestamp: 0 }, { name: 'numbered', data: { n: 2 }, timestamp: 0 });
		assert.ok((first?.['timestamp'] as number) >= before - 5);
	},

	'a listener may add and undo listeners while it is called': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const heard: string[] = [];
		const undos: (() => void)[] = [];
		const grow = ({ n }: { n: number }): void => {
			heard.push(`grown ${n}`);
			if (heard.length < 50) undos.push(client.on(Numbered, grow));
		};
		undos.push(client.on(Numbered, grow));
		await stage.sendTo(client.socketId ?? '', 1);
		await eventually(() => heard.length > 0, 'it has come');
		assert.deepEqual(heard, ['grown 1']);
		for (const undo of undos) undo();

		const undoMe = client.on(Numbered, () => {
			heard.push('once');
			undoMe();
		});
		await stage.sendTo(client.socketId ?? '', 2);
		const last = new Promise<void>((resolve) => client.on(Numbered, ({ n }) => n === 3 && resolve()));
		await stage.sendTo(client.socketId ?? '', 3);
		await last;
		assert.deepEqual(heard, ['grown 1', 'once']);
	},

	'messages of one topic come once each, in order': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const heard: number[] = [];
		await client.subscribe('t', {
			onMessage(data, envelope) {
				if (isMessage(Numbered, envelope)) heard.push(envelope.data.n);
				else assert.fail(`not ${String(data)}`);
			},
		});
		const all = Array.from({ length: 200 }, (_, n) => n);
		await stage.emitAll('t', all);
		await eventually(() => heard.length === all.length, 'all have come');
		assert.deepEqual(heard, all);
	},

	'listeners stay over a reconnect and over close and connect': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const heard: number[] = [];
		client.on(Numbered, ({ n }) => heard.push(n));
		await stage.kill();
		await stage.serve();
		await eventually(() => client.state === 'ready', 'it is back');
		await stage.sendTo(client.socketId ?? '', 1);
		await eventually(() => heard.length === 1, 'the first has come');
		await client.close();
		await client.connect();
		await stage.sendTo(client.socketId ?? '', 2);
		await eventually(() => heard.length === 2, 'the second has come');
	},
};
