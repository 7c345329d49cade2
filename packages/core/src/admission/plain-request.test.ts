import { connectClient } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import { Application, type WebSocketOptions } from '../index.ts';
import { type Address, serve } from '../test-support/serve.ts';

interface Answer {
	readonly status: number;
	readonly text: string;
	/** The pages that may read it. */
	readonly readers: string | null;
}

async function plainAnswer({ http }: Address, headers: Record<string, string> = {}): Promise<Answer> {
	const response = await fetch(`${http}/ws`, { headers });
	return {
		status: response.status,
		text: await response.text(),
		readers: response.headers.get('access-control-allow-origin'),
	};
}

function endpoint(options: WebSocketOptions = {}): Promise<Address & { readonly app: Application }> {
	const app = new Application({ logger: SILENT }).websocket(options);
	return serve(app).then((address) => ({ ...address, app }));
}

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

describe('a plain request to the endpoint is told how an upgrade would be answered, and every page may read it', () => {
	it('an upgrade would be accepted', async () => {
		const address = await endpoint();
		expect(await plainAnswer(address)).toEqual({
			status: 426,
			text: expect.stringMatching(/^WebSocket endpoint: .* a proxy does not pass them on/),
			readers: '*',
		});
	});

	it('the origin may not connect, whether the request has it as Origin or in Referer', async () => {
		const address = await endpoint({ allowedOrigins: ['https://app.example'] });
		for (const headers of [{ origin: 'https://other.example' }, { referer: 'https://other.example/page?a=1' }]) {
			expect(await plainAnswer(address, headers)).toEqual({
				status: 403,
				text: expect.stringMatching(/^WebSocket refused: pages of this origin .* allowedOrigins$/),
				readers: '*',
			});
		}
		for (const headers of [{ origin: 'https://app.example' }, { referer: 'https://app.example/' }, { referer: '?' }]) {
			expect((await plainAnswer(address, headers)).status).toBe(426);
		}
	});

	it('there are too many connections', async () => {
		const address = await endpoint({ limits: { connections: 1 } });
		await connectClient(address.ws);
		expect(await plainAnswer(address)).toEqual({
			status: 503,
			text: expect.stringMatching(/^WebSocket refused: there are too many connections\. See limits\.connections$/),
			readers: '*',
		});
	});

	it('there are too many connections from the address', async () => {
		const address = await endpoint({ limits: { connectionsPerAddress: 1 } });
		await connectClient(address.ws);
		expect(await plainAnswer(address)).toMatchObject({ status: 429, text: expect.stringMatching(/from this address/) });
	});

	it('takes no slot, and is neither counted nor logged', async () => {
		const { app, ...address } = await endpoint({ limits: { connections: 1 }, allowedOrigins: [] });
		const before = app.refusals;
		for (let i = 0; i < 3; i++) await plainAnswer(address, { origin: 'https://other.example' });
		await plainAnswer(address);
		expect(app.refusals).toEqual(before);
		await connectClient(address.ws);
	});

	it('so is a request to a path without an endpoint', async () => {
		const { http } = await endpoint();
		const response = await fetch(`${http}/other`);
		expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([404, '*']);
	});
});
