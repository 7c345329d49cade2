import { LocalTestServer } from './local-test-server.ts';

export interface TestServerControl {
	/** The address for `openRemoteTestServer`. */
	readonly url: string;
	/** Ends all test servers. */
	stop(): Promise<void>;
}

/**
 * Lets pages of one origin start and control test servers. A POST to `/` starts a server and returns its id and
 * address; a POST to `/3/emit` calls `emit` on the server with id 3, with the arguments from the body.
 */
export function startTestServerControl(pageOrigin: string): TestServerControl {
	const testServers: LocalTestServer[] = [];
	const answer = async (request: Request): Promise<unknown> => {
		const [, id = '', method = ''] = new URL(request.url).pathname.split('/');
		if (id === '') {
			const testServer = await LocalTestServer.start([pageOrigin]);
			return { id: testServers.push(testServer) - 1, url: testServer.url };
		}
		const testServer = testServers[Number(id)] as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
		// In JSON, `undefined` arguments have become null.
		const args = ((await request.json()) as unknown[]).map((arg) => arg ?? undefined);
		return await testServer[method]?.(...args);
	};
	const server = Bun.serve({
		hostname: '127.0.0.1',
		port: 0,
		idleTimeout: 60,
		async fetch(request) {
			const headers = { 'access-control-allow-origin': pageOrigin };
			try {
				return Response.json((await answer(request)) ?? null, { headers });
			} catch (error) {
				return new Response(String(error), { status: 500, headers });
			}
		},
	});
	return {
		url: server.url.origin,
		async stop() {
			await Promise.all(testServers.map((testServer) => testServer.end()));
			await server.stop(true);
		},
	};
}
