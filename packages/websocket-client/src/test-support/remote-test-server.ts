import type { TestServer } from './test-server.ts';

/** A test server in another process: each call is an HTTP request to its control. */
export type RemoteTestServer = TestServer & { end(): Promise<void> };

export async function openRemoteTestServer(control: string): Promise<RemoteTestServer> {
	const { id, url } = (await post(`${control}/`, [])) as { id: number; url: string };
	return new Proxy({} as RemoteTestServer, {
		get(_, method) {
			if (method === 'url') return url;
			// Not a promise, although it may be awaited.
			if (method === 'then') return undefined;
			return (...args: unknown[]) => post(`${control}/${id}/${String(method)}`, args);
		},
	});
}

async function post(url: string, body: unknown): Promise<unknown> {
	// Sent as text, which needs no CORS preflight.
	const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
	if (!response.ok) throw new Error(await response.text());
	return await response.json();
}
