import type { Logger } from '@orijs/websocket';
import type { BunRequest } from 'bun';
import { promiseOf } from '../support/promise-of.ts';
import { show } from '../support/show.ts';
import type { WebSocketOptions } from '../websocket-options.ts';

/** How long `upgrade` may take unless set, in milliseconds. */
const DEFAULT_UPGRADE_TIMEOUT_MS = 5_000;

const TIMED_OUT = Symbol('timed out');

/** What became of asking the application: the connection's data, or why there is none and the response that says so. */
export type UpgradeDecision =
	| { readonly data: object }
	| { readonly refusal: 'upgrade' | 'upgradeTimeout'; readonly response: Response };

/** Asks the application's `upgrade`. Never rejects. */
export async function decideUpgrade(
	req: BunRequest,
	{ upgrade, upgradeTimeoutMs = DEFAULT_UPGRADE_TIMEOUT_MS }: WebSocketOptions,
	logger: Logger,
): Promise<UpgradeDecision> {
	if (upgrade === undefined) return { data: {} };

	let result: unknown;
	try {
		result = await within(upgradeTimeoutMs, upgrade(req));
	} catch (err) {
		logger.error('upgrade() failed', { err });
		return refused('Internal Server Error', 500);
	}
	if (result === TIMED_OUT) {
		logger.error(`upgrade() took longer than ${upgradeTimeoutMs} ms`);
		return {
			refusal: 'upgradeTimeout',
			response: new Response('Service Unavailable', { status: 503, headers: { 'Retry-After': '1' } }),
		};
	}
	if (result === null) return refused('Forbidden', 403);
	if (result instanceof Response) return { refusal: 'upgrade', response: result };
	// Nothing else lets a client in: `false` or an Error is a refusal that was written wrong.
	if (typeof result === 'object' && !(result instanceof Error)) return { data: result };
	logger.error(
		`upgrade() returned ${kindOf(result)}; return the connection's data (an object), null or a Response`,
		result instanceof Error ? { err: result } : undefined,
	);
	return refused('Internal Server Error', 500);
}

function refused(text: string, status: number): UpgradeDecision {
	return { refusal: 'upgrade', response: new Response(text, { status }) };
}

/** A string may be a secret, and is not for the log. */
function kindOf(result: unknown): string {
	return typeof result === 'string' ? 'a string' : show(result);
}

async function within<T>(ms: number, result: T | PromiseLike<T>): Promise<T | typeof TIMED_OUT> {
	const later = promiseOf(result) as Promise<T> | undefined;
	if (later === undefined) return result;
	let timer: ReturnType<typeof setTimeout> | undefined;
	const timeout = new Promise<typeof TIMED_OUT>((resolve) => {
		timer = setTimeout(() => resolve(TIMED_OUT), ms);
		// It must not keep a stopped application's process alive.
		timer.unref();
	});
	try {
		return await Promise.race([later, timeout]);
	} finally {
		clearTimeout(timer);
	}
}
