import { RecordingLogger, until } from '@orijs/testkit';
import { InProcWsProvider } from '@orijs/websocket';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Application, type AppSocket, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';

interface Options {
	readonly trustedProxies?: readonly string[];
	/** Called in a guard. */
	readonly guard?: () => Promise<boolean>;
	/** Called in `upgrade`. */
	readonly upgrade?: () => Promise<unknown>;
}

async function serveFacts({ trustedProxies = [], guard, upgrade }: Options = {}) {
	const provider = new InProcWsProvider();
	const opened: AppSocket[] = [];
	const app = new Application({ logger: new RecordingLogger() })
		.websocket(provider, {
			trustedProxies,
			async upgrade() {
				await upgrade?.();
				return {};
			},
		})
		.onWebSocket({ open: (ws) => void opened.push(ws) });
	if (guard !== undefined) app.socketRouter(new SocketRouter().guard(guard));
	const { ws: url } = await serve(app);
	return {
		addresses: async () => (await app.cluster.connections('all')).connections.map(({ address }) => address),
		async connect(forwarded?: string): Promise<AppSocket> {
			const headers: Record<string, string> = forwarded === undefined ? {} : { 'X-Forwarded-For': forwarded };
			const client = new WebSocket(url, { headers });
			onTestFinished(() => client.close());
			const already = opened.length;
			await until(() => opened.length > already, { what: 'a connection is open' });
			return opened.at(-1) as AppSocket;
		},
	};
}

const LOOPBACK = ['127.0.0.1', '::1'];

describe('the address in app.cluster.connections', () => {
	it.each([
		['an IPv4 client behind a trusted proxy', '203.0.113.7', '203.0.113.7'],
		['an IPv6 client, in full', '2001:db8::7', '2001:db8::7'],
		['a client that claims an address of its own before that', '198.51.100.1, 203.0.113.7', '203.0.113.7'],
		['IPv4 in the form of IPv6', '::ffff:203.0.113.7', '203.0.113.7'],
	])('is that of %s', async (_, forwarded, expected) => {
		const { connect, addresses } = await serveFacts({ trustedProxies: LOOPBACK });
		const { data } = await connect(forwarded);
		expect(await addresses()).toEqual([expected]);
		expect(Object.keys(data).toSorted()).toEqual(['connectedAt', 'data', 'socketId', 'topics']);
	});

	it('is that of the peer if no proxy is trusted, whatever it claims', async () => {
		const { connect, addresses } = await serveFacts();
		await connect('203.0.113.7');
		expect(await addresses()).toEqual([expect.stringMatching(/^(127\.0\.0\.1|::1)$/)]);
	});
});

it('ws.data.connectedAt is when the request arrived, before `upgrade` and the guards have decided', async () => {
	const steps: number[] = [];
	const slowly = async (): Promise<boolean> => {
		steps.push(Date.now());
		await Bun.sleep(20);
		return true;
	};
	const { connect } = await serveFacts({ upgrade: slowly, guard: slowly });
	const before = Date.now();
	const { data } = await connect();
	expect(steps).toHaveLength(2);
	expect(data.connectedAt).toBeGreaterThanOrEqual(before);
	expect(data.connectedAt).toBeLessThanOrEqual(steps[0] as number);
});
