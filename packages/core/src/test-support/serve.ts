import type { ListenOptions } from '../index.ts';
import { onTestFinished } from 'vitest';

/** The address of an application under test. */
export interface Address {
	readonly port: number;
	readonly http: string;
	/** The URL of the default endpoint. */
	readonly ws: string;
}

/** The part of an application that is needed here, regardless of the type of its connections' data. */
interface Servable {
	listen(at: number | ListenOptions): Promise<{ readonly port: number | undefined }>;
	stop(): Promise<void>;
}

/** Listens on a free port until the test ends. */
export async function serve(app: Servable): Promise<Address> {
	onTestFinished(() => app.stop());
	const { port } = await app.listen(0);
	if (port === undefined) throw new Error('the application is not listening on a port');
	return { port, http: `http://localhost:${port}`, ws: `ws://localhost:${port}/ws` };
}

/** Sends a WebSocket handshake as a plain HTTP request, so that the response to a refused handshake can be read. */
export function handshake({ http }: Address, path = '/ws', changes: Record<string, string> = {}): Promise<Response> {
	const headers = {
		connection: 'Upgrade',
		upgrade: 'websocket',
		'sec-websocket-version': '13',
		'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
		...changes,
	};
	return fetch(http + path, { headers });
}
