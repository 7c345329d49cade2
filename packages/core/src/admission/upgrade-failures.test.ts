import { connectClient, HANDSHAKE, RecordingLogger, until } from '@orijs/testkit';
import { InProcWsProvider } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { Application, ApplicationError } from '../index.ts';
import { connectRaw } from '../test-support/raw-connection.ts';
import { handshake, serve } from '../test-support/serve.ts';

describe('an upgrade() that fails', () => {
	it('is logged and answered with 500, without details', async () => {
		const logger = new RecordingLogger();
		const app = new Application({ logger }).websocket({
			upgrade(req): Promise<object> {
				if (req.url.endsWith('?throw')) throw new Error('secret: thrown');
				return Promise.reject(new Error('secret: rejected'));
			},
		});
		const address = await serve(app);

		for (const query of ['?throw', '?reject']) {
			const failed = await handshake(address, `/ws${query}`);
			expect([query, failed.status, await failed.text()]).toEqual([query, 500, 'Internal Server Error']);
		}
		expect(logger.lines).toEqual([
			{ level: 'error', message: 'upgrade() failed', details: { err: new Error('secret: thrown') } },
		]);
		await app.stop();
		expect(logger.lines.at(-1)).toEqual({
			level: 'error',
			message: 'upgrade() failed',
			details: { error: 'Error', count: 1 },
		});
	});

	it.each<[string, unknown]>([
		['undefined', undefined],
		['true', true],
		['0', 0],
		['7', 7],
		['NaN', Number.NaN],
		['1', 1n],
		['Symbol(ann)', Symbol('ann')],
		['a string', ''],
		['a string', 'secret'],
		['a function', () => ({ name: 'ann' })],
		['class ApplicationError', ApplicationError],
		['TypeError {…}', new TypeError('secret')],
	])(
		'by returning %s admits no client: it is logged, with what to return instead, and answered with 500',
		async (shown, result) => {
			const logger = new RecordingLogger();
			const provider = new InProcWsProvider({ logger });
			const app = new Application({ logger }).websocket(provider, {
				upgrade: (req) => (req.url.endsWith('?later') ? Promise.resolve(result) : result) as object,
			});
			const address = await serve(app);

			for (const path of ['/ws', '/ws?later']) {
				const failed = await handshake(address, path);
				expect([path, failed.status, await failed.text()]).toEqual([path, 500, 'Internal Server Error']);
			}
			expect(provider.getConnectionCount()).toBe(0);
			const line = {
				level: 'error',
				message:
					`upgrade() returned ${shown}; it must return the connection's data (an object), a Response, or null or false ` +
					'to reject',
				details: result instanceof Error ? { err: result } : undefined,
			};
			expect(logger.lines).toEqual([line]);
		},
	);

	it('does not affect other connections', async () => {
		const app = new Application({ logger: new RecordingLogger() })
			.websocket({
				upgrade(req) {
					if (req.url.endsWith('?fail')) throw new Error('refused to work');
					return {};
				},
			})
			.onWebSocket({ message: (ws, message) => void ws.send(message) });
		const address = await serve(app);

		const before = await connectClient(address.ws);
		expect((await handshake(address, '/ws?fail')).status).toBe(500);
		const after = await connectClient(address.ws);
		for (const client of [before, after]) {
			client.send('still here');
			expect(await client.next()).toBe('still here');
		}
	});
});

describe('an upgrade() that takes too long', () => {
	it('is logged and answered with 503; its late result is ignored', async () => {
		const logger = new RecordingLogger();
		const provider = new InProcWsProvider({ logger });
		const late: PromiseWithResolvers<object>[] = [];
		const opened: string[] = [];
		const app = new Application({ logger })
			.websocket(provider, {
				upgradeTimeoutMs: 30,
				upgrade(req) {
					if (req.url.endsWith('?quick')) return {};
					const result = Promise.withResolvers<object>();
					late.push(result);
					return result.promise;
				},
			})
			.onWebSocket({
				open(ws) {
					opened.push(ws.data.socketId);
				},
			});
		const address = await serve(app);

		const answers = await Promise.all([handshake(address), handshake(address), handshake(address)]);
		for (const answer of answers) expect([answer.status, await answer.text()]).toEqual([503, 'Service Unavailable']);
		expect(logger.errors.map(({ message }) => message)).toEqual(['upgrade() took longer than 30 ms']);

		late[0]?.resolve({ too: 'late' });
		late[1]?.resolve(new Response('too late'));
		late[2]?.reject(new Error('too late'));
		await connectClient(`${address.ws}?quick`);
		expect([opened.length, provider.getConnectionCount(), app.refusals.upgradeTimeout]).toEqual([1, 1, 3]);
		await app.stop();
		expect(logger.errors.slice(1)).toEqual([
			{ level: 'error', message: 'upgrade() took too long', details: { count: 2 } },
		]);
	});
});

describe('a client that leaves while its upgrade() is pending', () => {
	it.each(['data', 'a refusal', 'a failure'])('causes no error when the result is %s', async (outcome) => {
		const logger = new RecordingLogger();
		const provider = new InProcWsProvider({ logger });
		const called = Promise.withResolvers<Request>();
		const result = Promise.withResolvers<object | null>();
		const opened: string[] = [];
		const app = new Application({ logger })
			.websocket(provider, {
				upgrade(req) {
					if (req.url.endsWith('?marker')) return {};
					called.resolve(req);
					return result.promise;
				},
			})
			.onWebSocket({
				open(ws) {
					opened.push(ws.data.socketId);
				},
			});
		const { port, ws } = await serve(app);

		const leaving = await connectRaw(port);
		leaving.write(`${HANDSHAKE}\r\n`);
		const { signal } = await called.promise;
		leaving.end();
		await until(() => signal.aborted, { what: 'the server has noticed that the client left' });
		if (outcome === 'data') result.resolve({ name: 'ann' });
		else if (outcome === 'a refusal') result.resolve(null);
		else result.reject(new Error('not sent to the client'));

		const marker = await connectClient(`${ws}?marker`);
		expect([opened.length, provider.getConnectionCount()]).toEqual([1, 1]);
		expect(logger.errors.map(({ message }) => message)).toEqual(outcome === 'a failure' ? ['upgrade() failed'] : []);
		expect(logger.lines.filter(({ level }) => level === 'warn')).toEqual([]);
		expect(app.refusals.handshake).toBe(0);
		await marker.close();
	});
});
