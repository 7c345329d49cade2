import { InProcWsProvider } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { Application, ApplicationError, SocketEndpoint, SocketProtocol } from './index.ts';

describe('the option presence', () => {
	it.each<[what: string, presence: unknown, error: string]>([
		[
			'is no object',
			true,
			'presence must be an object with info, schema, authorize, infoBytes, updatesPerSecond, not true',
		],
		['is an array', [], 'presence must be an object'],
		[
			'has rules of topics',
			{ 'room:*': {} },
			'there is no option presence.room:*; options are info, schema, authorize',
		],
		['has no function as info', { info: { name: 'Ada' } }, 'presence.info must be a function, (ctx) => object'],
		['has no schema', { schema: { name: 'string' } }, 'presence.schema is not a Standard Schema'],
		[
			'has no function as authorize',
			{ authorize: true },
			'presence.authorize must be a function, (ws, topic, state) => boolean',
		],
		['has a size of 0', { infoBytes: 0 }, 'presence.infoBytes must be a whole number from 1 to 16384, not 0'],
		['has a size beyond the store', { infoBytes: 16_385 }, 'presence.infoBytes must be a whole number from 1 to 16384'],
		['has a size that is a fraction', { infoBytes: 1.5 }, 'presence.infoBytes must be a whole number'],
		['has a rate of 0', { updatesPerSecond: 0 }, 'presence.updatesPerSecond must be a number above 0'],
		[
			'has a rate that is no number',
			{ updatesPerSecond: Number.NaN },
			'presence.updatesPerSecond must be a number above 0',
		],
		['has text as a rate', { updatesPerSecond: '1' }, 'presence.updatesPerSecond must be a number above 0'],
	])('that %s is refused', (_, presence, error) => {
		expect(() => new Application().websocket({ presence: presence as never })).toThrow(`websocket(): ${error}`);
		expect(() => new SocketEndpoint({ presence: presence as never })).toThrow(ApplicationError);
	});

	it('may be empty, and have properties that are undefined', () => {
		new Application().websocket({ presence: {} });
		new Application().websocket({
			presence: { info: undefined as never, updatesPerSecond: Infinity, infoBytes: 16_384 },
		});
	});

	it('needs a provider that keeps presence', async () => {
		for (const provider of [undefined, new InProcWsProvider()]) {
			const app = new Application().websocket(provider, { presence: { info: () => ({ name: 'Ada' }) } });
			await expect(app.listen(0)).rejects.toThrow(ApplicationError);
			await expect(app.listen(0)).rejects.toThrow("new InProcWsProvider({ presence: { 'room:*': {} } })");
		}
		expect(() => new SocketProtocol(new InProcWsProvider(), { presence: { authorize: () => true } })).toThrow(
			'presence.authorize need a provider that keeps presence',
		);
	});

	it('needs an endpoint for app.presence', () => {
		expect(() => new Application().presence).toThrow('presence needs an endpoint: call websocket() first');
	});
});
