import { afterAll, describe, expect, it } from 'vitest';
import { pathMatcher } from './path-matcher.ts';
import { otherForm } from './route-path.ts';

const PATHS = '/ /ws /ws/ /* /ws/* /:a /:a/ws /ws/:a /ws/:a/ /ws/:a/x/:b /ws/:a/* /e/%20 /caf%C3%A9'.split(' ');

const REQUESTS = [
	'/ // /ws /ws/ /ws// /WS /w%73 /wsx /w /ws?a=/b /ws/?x /ws#x /x/ws /x/ws/ /e/%20 /caf%C3%A9 /caf%c3%a9',
	'/ws/a /ws/a/ /ws/a// /ws/a/b /ws/a/b/ /ws/a/x/b /ws/a/x/b/ /ws/a/x/ /ws//x/b /ws/:a /ws/*',
	'/ws/a%20b /ws/a%2Fb /ws/%FF /ws/%E4%B8%AD%FF /ws/a?b=c/d',
].flatMap((line) => line.split(' '));

const servers = PATHS.map((path) => {
	const route = (req: Bun.BunRequest) => Response.json({ params: req.params, url: req.url });
	return Bun.serve({
		port: 0,
		routes: { [path]: route, [otherForm(path)]: route },
		fetch: ({ url }) => Response.json({ url }),
	});
});
afterAll(() => Promise.all(servers.map((server) => server.stop(true))));

describe('a path matches the requests that Bun routes to it', () => {
	it.each(PATHS.map((path, i) => [path, i] as const))('%s', async (path, i) => {
		const matches = pathMatcher(path);
		for (const request of REQUESTS) {
			const { params, url } = await answer(servers[i]?.port ?? 0, request);
			expect([request, matches(url)]).toEqual([request, params]);
		}
	});
});

it('a URL may have no host, and a query with another URL', () => {
	expect(pathMatcher('/ws')('/ws?next=http://example.com/a')).toEqual({});
	expect(pathMatcher('/ws')('/a?next=http://example.com/ws')).toBeUndefined();
});

/** Sends a request whose path a client would otherwise change. */
async function answer(port: number, path: string): Promise<{ params?: object; url: string }> {
	const done = Promise.withResolvers<string>();
	let text = '';
	await Bun.connect({
		hostname: 'localhost',
		port,
		socket: {
			open: (socket) => void socket.write(`GET ${path} HTTP/1.1\r\nHost: host\r\nConnection: close\r\n\r\n`),
			data: (_, bytes) => void (text += String(bytes)),
			close: () => done.resolve(text),
		},
	});
	return JSON.parse((await done.promise).split('\r\n\r\n')[1] ?? '') as { params?: object; url: string };
}
