import type { TestServer } from './test-server.ts';

/** A test server in another process. Each call becomes an HTTP request to its `TestServerControl`. */
export type RemoteTestServer = TestServer & { end(): Promise<void> };

export async function openRemoteTestServer(control: string): Promise<RemoteTestServer> {
	const { id, url } = (await post(`${control}/`, [])) as { id: number; url: string };
	return new Proxy({} as RemoteTestServer, {
		get(_, method) {
			if (method === 'url') return url;
			// The proxy must not look like a thenable when it is awaited.
			if (method === 'then') return undefined;
			return (...args: unknown[]) => post(`${control}/${id}/${String(method)}`, args);
		},
	});
}

async function post(url: string, body: unknown): Promise<unknown> {
	// Sent as plain text, which needs no CORS preflight.
	const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
	if (!response.ok) throw new Error(await response.text());
	return await response.json();
}
