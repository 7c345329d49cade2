import { strict as assert } from 'node:assert';
import type { ClientState } from '../../index.ts';
import { eventually, untilState } from '../assertions.ts';
import { failuresOf, newClient, statesOf } from '../run-scenario.ts';
import type { Scenario } from '../test-server.ts';

export const stateOrder: Record<string, Scenario> = {
	...Object.fromEntries(
		(['connecting', 'ready'] as const).map((when): [string, Scenario] => [
			`every listener receives states in order if one closes the client when it is ${when}`,
			async (server) => {
				await server.serve();
				const client = newClient(server);
				const atOnce: ClientState[] = [];
				client.onStateChange((state) => {
					if (state !== when) return;
					void client.close();
					atOnce.push(client.state);
				});
				const received: [ClientState, ClientState][] = [];
				client.onStateChange((state, { previous }) => received.push([previous, state]));
				await client.connect().catch(() => {});
				const expected = when === 'ready' ? ['connecting', 'ready', 'closed'] : ['connecting', 'closed'];
				assert.deepEqual(
					received.map(([, state]) => state),
					expected,
				);
				assert.deepEqual(
					received.map(([previous]) => previous),
					['idle', ...expected.slice(0, -1)],
				);
				assert.deepEqual(atOnce, ['closed']);
			},
		]),
	),

	'every listener receives states in order if one connects again when the client is closed': async (server) => {
		await server.serve();
		const client = newClient(server);
		let again = true;
		client.onStateChange((state) => {
			if (state !== 'closed' || !again) return;
			again = false;
			void client.connect();
		});
		const received: ClientState[] = [];
		client.onStateChange((state) => received.push(state));
		await client.connect();
		await client.close();
		await untilState(client, 'ready');
		assert.deepEqual(received, ['connecting', 'ready', 'closed', 'connecting', 'ready']);
		assert.deepEqual(statesOf(client), received);
	},

	'every listener receives errors in order if one causes another': async (server) => {
		await server.serve();
		const client = newClient(server);
		client.onStateChange((state) => {
			throw new Error(state);
		});
		client.onError(({ message }) => {
			if (message === 'ready') void client.close();
		});
		const received: string[] = [];
		client.onError(({ message }) => received.push(message));
		await client.connect();
		await untilState(client, 'closed');
		await eventually(() => received.length === 3, 'three errors were reported');
		assert.deepEqual(received, ['connecting', 'ready', 'closed']);
		assert.equal(failuresOf(client).length, 3);
	},
};
