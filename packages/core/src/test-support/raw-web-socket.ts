import { openRawWebSocket, type RawWebSocket, type RawWebSocketOptions } from '@orijs/testkit';
import { onTestFinished } from 'vitest';

/**
 * Connects to an application's default endpoint until the test ends: on a port of this machine, or on the Unix socket
 * with this path. The client speaks the protocol.
 */
export async function connectRawWebSocket(at: number | string, options?: RawWebSocketOptions): Promise<RawWebSocket> {
	const headers = { 'Sec-WebSocket-Protocol': 'orijs.1', ...options?.headers };
	const socket = await openRawWebSocket(at, { ...options, headers });
	onTestFinished(() => socket.end());
	return socket;
}
