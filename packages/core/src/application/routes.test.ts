import { RecordingLogger } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import { Application, ApplicationError } from '../index.ts';
import { serve } from '../test-support/serve.ts';

describe('HTTP routes', () => {
	it('can be a response, a function, per method or with parameters', async () => {
		const app = new Application().routes({
			'/fixed': new Response('the same for all', { headers: { 'x-kind': 'fixed' } }),
			'/made': async (req) => new Response(`made of ${await req.text()}`),
			'/by-method': {
				GET: () => new Response('got'),
				POST: (_, server) => Response.json({ port: server.port }, { status: 201 }),
			},
			'/rooms/:room/users/:user': ({ params }) => new Response(`${params['user']} in ${params['room']}`),
			'/files/*': (req) => new Response(new URL(req.url).pathname),
		});
		const { http, port } = await serve(app);

		for (let i = 0; i < 2; i++) {
			const fixed = await fetch(`${http}/fixed`);
			expect([await fixed.text(), fixed.headers.get('x-kind')]).toEqual(['the same for all', 'fixed']);
		}
		expect(await textOf(fetch(`${http}/made`, { method: 'POST', body: 'clay' }))).toBe('made of clay');
		expect(await textOf(fetch(`${http}/by-method`))).toBe('got');
		const posted = await fetch(`${http}/by-method`, { method: 'POST' });
		expect([posted.status, await posted.json()]).toEqual([201, { port }]);
		expect((await fetch(`${http}/by-method`, { method: 'DELETE' })).status).toBe(404);
		expect(await textOf(fetch(`${http}/rooms/7/users/ann%20b`))).toBe('ann b in 7');
		expect(await textOf(fetch(`${http}/files/a/b.txt`))).toBe('/files/a/b.txt');
	});

	it('can be added in several calls', async () => {
		const app = new Application()
			.routes({ '/one': () => new Response('1') })
			.routes({ '/two': () => new Response('2') });
		const { http } = await serve(app);

		expect(await textOf(fetch(`${http}/one`))).toBe('1');
		expect(await textOf(fetch(`${http}/two`))).toBe('2');
	});

	it('are answered 404 for undefined paths', async () => {
		const { http } = await serve(new Application().routes({ '/here': () => new Response('here') }));

		for (const path of ['/', '/nowhere', '/here/not', '/ws']) {
			const missing = await fetch(http + path);
			expect([path, missing.status, await missing.text()]).toEqual([path, 404, 'Not Found']);
		}
	});

	it('that fail are logged and answered 500 without details; other requests are unaffected', async () => {
		const logger = new RecordingLogger();
		const other = Promise.withResolvers<void>();
		const app = new Application({ logger }).routes({
			'/throws': () => {
				throw new Error('secret: thrown');
			},
			'/rejects': () => Promise.reject(new Error('secret: rejected')),
			'/throws-text': () => {
				throw 'secret: text';
			},
			'/waits': async () => {
				await other.promise;
				return new Response('undisturbed');
			},
		});
		const { http } = await serve(app);

		const undisturbed = textOf(fetch(`${http}/waits`));
		for (const path of ['/throws', '/rejects', '/throws-text']) {
			const failed = await fetch(http + path);
			expect([path, failed.status, await failed.text()]).toEqual([path, 500, 'Internal Server Error']);
		}
		other.resolve();

		expect(await undisturbed).toBe('undisturbed');
		expect(logger.lines).toEqual([
			{ level: 'error', message: 'A route failed', details: { err: new Error('secret: thrown') } },
			{ level: 'error', message: 'A route failed', details: { err: 'secret: text' } },
		]);
		await app.stop();
		expect(logger.lines.at(-1)).toEqual({
			level: 'error',
			message: 'A route failed',
			details: { error: 'Error', count: 1 },
		});
	});

	it.each<[string, unknown]>([
		['undefined', undefined],
		['a string', 'secret'],
		['{…}', { ok: true }],
	])('that return %s, at once or later, answer 500, and the log names them', async (what, result) => {
		const logger = new RecordingLogger();
		const app = new Application({ logger }).routes({
			'/at-once': () => result,
			'/later/:id': { GET: async () => result },
		});
		const { http } = await serve(app);

		for (const path of ['/at-once', '/later/7']) {
			const failed = await fetch(http + path);
			expect([path, failed.status, await failed.text()]).toEqual([path, 500, 'Internal Server Error']);
		}
		expect(logger.errors[0]?.details?.['err']).toEqual(
			new ApplicationError(`The route /at-once returned ${what}; it must return a Response`),
		);
		await app.stop();
	});

	it('can use the application that they are a route of', async () => {
		const app = new Application()
			.routes({ '/stopping': () => Response.json(app.isStopping), '/all': () => Response.json(app.refusals) })
			.websocket();
		const { http } = await serve(app);

		expect(await textOf(fetch(`${http}/stopping`))).toBe('false');
	});

	it('with a path defined twice are rejected, naming the path', () => {
		const app = new Application().routes({ '/twice': () => new Response('1') });

		const again = (): unknown => app.routes({ '/twice': () => new Response('2') });
		expect(again).toThrow(ApplicationError);
		expect(again).toThrow('/twice');
	});

	it.each([
		['a function', () => new Response(), "pass an object of routes by path, such as { '/health':"],
		['nothing', undefined, 'not undefined'],
		['a list', [], 'pass an object of routes by path'],
		['a path without a slash', { health: () => new Response() }, 'a path must begin with /, not "health"'],
		['text', { '/a': 'text' }, '/a must be a handler, a Response, or an object of these by method'],
		['a missing route', { '/a': undefined }, '/a must be a handler'],
		[
			'a method in small letters',
			{ '/a': { get: () => new Response() } },
			'/a: methods are in capitals, GET and not get',
		],
	])('are rejected with a helpful message: %s', (_, routes, message) => {
		const add = (): unknown => new Application().routes(routes as never);
		expect(add).toThrow(ApplicationError);
		expect(add).toThrow(message);
	});

	it('that are false are answered as if they were not there', async () => {
		const { http } = await serve(
			new Application().routes({ '/files/*': () => new Response('file'), '/files/no': false }),
		);

		expect(await textOf(fetch(`${http}/files/yes`))).toBe('file');
		expect((await fetch(`${http}/files/no`)).status).toBe(404);
	});

	it('cannot be added after listen()', async () => {
		const app = new Application();
		await serve(app);

		expect(() => app.routes({ '/late': () => new Response('late') })).toThrow(ApplicationError);
		expect(() => app.routes({ '/late': () => new Response('late') })).toThrow('routes() must come before listen()');
	});
});

async function textOf(response: Promise<Response>): Promise<string> {
	return (await response).text();
}
