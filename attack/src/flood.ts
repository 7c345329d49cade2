import { frame, type RawWebSocket, until } from '@orijs/testkit';
import type { Target } from './target.ts';

/** Encodes a typed message as a frame. */
export function message(type: string, data: unknown, correlationId?: string): Buffer {
	return frame(JSON.stringify({ type, correlationId, data }));
}

/** Repeats frames. */
export function repeat(bytes: Buffer, count: number): Buffer {
	return Buffer.concat(Array.from({ length: count }, () => bytes));
}

/** Resolves once everything has been passed to the kernel, or the connection has ended. */
export function flushed(socket: RawWebSocket, timeoutMs = 20_000): Promise<void> {
	return until(() => socket.isFlushed || socket.isClosed, { what: 'everything is sent', timeoutMs });
}

/**
 * Sends frames from each socket for some seconds, as fast as the server reads. A socket that the server has closed is
 * replaced, as a persistent attacker would.
 */
export async function keepSending(
	target: Target,
	sockets: readonly RawWebSocket[],
	{ bytes, seconds }: { readonly bytes: Buffer; readonly seconds: number },
): Promise<void> {
	const until = performance.now() + seconds * 1_000;
	await Promise.all(
		sockets.map(async (first) => {
			let socket = first;
			while (performance.now() < until) {
				if (socket.isClosed) socket = await target.open();
				if (socket.isFlushed) target.write(socket, bytes);
				await Bun.sleep(5);
			}
		}),
	);
}

/** Sends a frame from each socket at a steady rate, for some seconds. */
export async function sendSteadily(
	target: Target,
	sockets: readonly RawWebSocket[],
	{ bytes, perSecond, seconds }: { readonly bytes: () => Buffer; readonly perSecond: number; readonly seconds: number },
): Promise<void> {
	const startedAt = performance.now();
	for (let sent = 0; sent < perSecond * seconds;) {
		const due = Math.min(perSecond * seconds, ((performance.now() - startedAt) / 1_000) * perSecond);
		for (; sent < due; sent++) for (const socket of sockets) if (!socket.isClosed) target.write(socket, bytes());
		await Bun.sleep(10);
	}
}
