import type { Stage } from './stage.ts';

/** A stage that is elsewhere: each call is a request to its control. */
export type RemoteStage = Stage & { end(): Promise<void> };

export async function openRemoteStage(control: string): Promise<RemoteStage> {
	const { id, url } = (await post(`${control}/`, [])) as { id: number; url: string };
	return new Proxy({} as RemoteStage, {
		get(_, method) {
			if (method === 'url') return url;
			// It is no promise, though it may be awaited.
			if (method === 'then') return undefined;
			return (...args: unknown[]) => post(`${control}/${id}/${String(method)}`, args);
		},
	});
}

async function post(url: string, body: unknown): Promise<unknown> {
	// As text, which needs no permission of another origin beforehand.
	const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
	if (!response.ok) throw new Error(await response.text());
	return await response.json();
}
