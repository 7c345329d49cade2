import { openRawWebSocket, type RawWebSocket } from '@orijs/testkit';
import { onTestFinished } from 'vitest';

/** Connects to an application's default endpoint until the test ends. */
export async function connectRawWebSocket(port: number): Promise<RawWebSocket> {
	const socket = await openRawWebSocket(port);
	onTestFinished(() => socket.end());
	return socket;
}
