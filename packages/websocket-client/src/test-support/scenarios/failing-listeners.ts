import { strict as assert } from 'node:assert';
import { eventually } from '../assertions.ts';
import { Numbered } from '../messages.ts';
import { failuresOf, readyClient } from '../run-scenario.ts';
import type { Scenario } from '../test-server.ts';

export const failingListeners: Record<string, Scenario> = {
	'a listener that throws or rejects is reported, and does not affect other listeners': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const received: number[] = [];
		client.on(Numbered, () => {
			throw new Error('thrown');
		});
		client.on(Numbered, () => Promise.reject(new Error('rejected')));
		client.on(Numbered, ({ n }) => received.push(n));
		await client.subscribe('t', {
			onMessage() {
				throw new Error('thrown by a subscription');
			},
		});
		await server.emit('t', 1);
		await server.emit('t', 2);
		await eventually(() => received.length === 2, 'the other listener receives all messages');
		await eventually(() => failuresOf(client).length === 6, 'all errors are reported');
		assert.ok(failuresOf(client).every(([where]) => where === 'handler'));
		assert.deepEqual(
			failuresOf(client)
				.map(([, { message }]) => message)
				.toSorted(),
			['rejected', 'rejected', 'thrown', 'thrown', 'thrown by a subscription', 'thrown by a subscription'],
		);
		assert.equal(client.state, 'ready');
	},

	'state, gap and raw listeners that throw do not affect other listeners': async (server) => {
		await server.serveRaw();
		const client = await readyClient(server);
		const fail = (): never => {
			throw new Error('thrown');
		};
		client.onStateChange(fail);
		client.onGap(fail);
		client.onRaw(fail);
		const last = new Promise<unknown>((resolve) => client.onRaw((data) => data === 'last' && resolve(data)));
		await server.sendRaw('{"type":"@gap","data":{"topic":"*","since":1,"until":2}}');
		await server.sendRaw('last');
		await last;
		await client.close();
		assert.deepEqual(
			failuresOf(client).map(([where]) => where),
			['handler', 'handler', 'handler'],
		);
	},

	'a thrown value that is not an error is reported as one': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		client.on(Numbered, () => {
			throw 'text';
		});
		await server.sendTo(client.socketId ?? '', 1);
		await eventually(() => failuresOf(client).length === 1, 'the error is reported');
		assert.ok(failuresOf(client)[0]?.[1] instanceof Error);
		assert.match(failuresOf(client)[0]?.[1].message ?? '', /text/);
	},

	'an error listener that throws does not affect other listeners': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		client.onError(() => {
			throw new Error('thrown by the error listener');
		});
		const received: number[] = [];
		client.on(Numbered, () => {
			throw new Error('thrown');
		});
		client.on(Numbered, ({ n }) => received.push(n));
		const { error: print } = console;
		const printed: unknown[][] = [];
		console.error = (...parts: unknown[]) => void printed.push(parts);
		try {
			await server.sendTo(client.socketId ?? '', 1);
			await eventually(() => received.length === 1, 'the message has arrived');
		} finally {
			console.error = print;
		}
		assert.equal(failuresOf(client).length, 1);
		assert.match(String(printed[0]?.[1]), /thrown by the error listener/);
	},
};
