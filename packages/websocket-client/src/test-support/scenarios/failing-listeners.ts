import { strict as assert } from 'node:assert';
import { Numbered } from '../messages.ts';
import { eventually, failuresOf, readyClient } from '../play.ts';
import type { Scenario } from '../stage.ts';

export const failingListeners: Record<string, Scenario> = {
	'a listener that throws or rejects is reported, and disturbs nobody': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const heard: number[] = [];
		client.on(Numbered, () => {
			throw new Error('thrown');
		});
		client.on(Numbered, () => Promise.reject(new Error('rejected')));
		client.on(Numbered, ({ n }) => heard.push(n));
		await client.subscribe('t', {
			onMessage() {
				throw new Error('thrown by a subscription');
			},
		});
		await stage.emit('t', 1);
		await stage.emit('t', 2);
		await eventually(() => heard.length === 2, 'the other listener hears all');
		await eventually(() => failuresOf(client).length === 6, 'all is reported');
		assert.ok(failuresOf(client).every(([where]) => where === 'handler'));
		assert.deepEqual(
			failuresOf(client)
				.map(([, { message }]) => message)
				.toSorted(),
			['rejected', 'rejected', 'thrown', 'thrown', 'thrown by a subscription', 'thrown by a subscription'],
		);
		assert.equal(client.state, 'ready');
	},

	'listeners of states, gaps and raw text that throw disturb nobody either': async (stage) => {
		await stage.serveRaw();
		const client = await readyClient(stage);
		const fail = (): never => {
			throw new Error('thrown');
		};
		client.onStateChange(fail);
		client.onGap(fail);
		client.onRaw(fail);
		const last = new Promise<unknown>((resolve) => client.onRaw((data) => data === 'last' && resolve(data)));
		await stage.say('{"type":"@gap","data":{"topic":"*","since":1,"until":2}}');
		await stage.say('last');
		await last;
		await client.close();
		assert.deepEqual(
			failuresOf(client).map(([where]) => where),
			['handler', 'handler', 'handler'],
		);
	},

	'a listener that throws what is no error is reported as one': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		client.on(Numbered, () => {
			throw 'text';
		});
		await stage.sendTo(client.socketId ?? '', 1);
		await eventually(() => failuresOf(client).length === 1, 'it is reported');
		assert.ok(failuresOf(client)[0]?.[1] instanceof Error);
		assert.match(failuresOf(client)[0]?.[1].message ?? '', /text/);
	},

	'an error listener that throws disturbs nobody': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		client.onError(() => {
			throw new Error('thrown by the error listener');
		});
		const heard: number[] = [];
		client.on(Numbered, () => {
			throw new Error('thrown');
		});
		client.on(Numbered, ({ n }) => heard.push(n));
		const { error: print } = console;
		const printed: unknown[][] = [];
		console.error = (...parts: unknown[]) => void printed.push(parts);
		try {
			await stage.sendTo(client.socketId ?? '', 1);
			await eventually(() => heard.length === 1, 'the message has come');
		} finally {
			console.error = print;
		}
		assert.equal(failuresOf(client).length, 1);
		assert.match(String(printed[0]?.[1]), /thrown by the error listener/);
	},
};
