import type { Logger } from '@orijs/websocket';
import type { WebSocketOptions } from './websocket-options.ts';

/** How long `upgrade` may take unless set, in milliseconds. */
const DEFAULT_UPGRADE_TIMEOUT_MS = 5_000;

const TIMED_OUT = Symbol('timed out');

/** What becomes of an upgrade request: the connection's data, or the response that refuses it. Never rejects. */
export async function decideUpgrade(
	req: Request,
	{ upgrade, upgradeTimeoutMs = DEFAULT_UPGRADE_TIMEOUT_MS }: WebSocketOptions,
	logger: Logger,
): Promise<{ readonly data: unknown } | Response> {
	if (req.headers.get('upgrade')?.toLowerCase() !== 'websocket') {
		return new Response('This is a WebSocket endpoint', { status: 426, headers: { Upgrade: 'websocket' } });
	}
	if (upgrade === undefined) return { data: {} };

	let result: unknown;
	try {
		result = await within(upgradeTimeoutMs, upgrade(req));
	} catch (err) {
		logger.error('upgrade() failed', { err });
		return new Response('Internal Server Error', { status: 500 });
	}
	if (result === TIMED_OUT) {
		logger.error(`upgrade() took longer than ${upgradeTimeoutMs} ms`);
		return new Response('Service Unavailable', { status: 503 });
	}
	if (result === undefined) {
		logger.error("upgrade() returned undefined; return the connection's data, null or a Response");
		return new Response('Internal Server Error', { status: 500 });
	}
	if (result === null) return new Response('Forbidden', { status: 403 });
	return result instanceof Response ? result : { data: result };
}

async function within<T>(ms: number, result: T | Promise<T>): Promise<T | typeof TIMED_OUT> {
	if (!(result instanceof Promise)) return result;
	let timer: ReturnType<typeof setTimeout> | undefined;
	const timeout = new Promise<typeof TIMED_OUT>((resolve) => {
		timer = setTimeout(() => resolve(TIMED_OUT), ms);
	});
	try {
		return await Promise.race([result, timeout]);
	} finally {
		clearTimeout(timer);
	}
}
