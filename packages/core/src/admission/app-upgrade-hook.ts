import type { Logger } from '@orijs/websocket';
import { show, within } from '@orijs/websocket/internal';
import type { BunRequest } from 'bun';
import { promiseOf } from '../support/promise-of.ts';
import type { WebSocketOptions } from '../websocket-options.ts';

/** The default of `upgradeTimeoutMs`, in milliseconds. */
const DEFAULT_UPGRADE_TIMEOUT_MS = 5_000;

const TIMED_OUT = new Error('upgrade() timed out');

/**
 * The outcome of the application's `upgrade`: the connection's data, or the kind of refusal and the response to send.
 */
export type UpgradeDecision =
	| { readonly data: object }
	| { readonly refusal: 'upgrade' | 'upgradeTimeout'; readonly response: Response };

/** Calls the application's `upgrade`. Never rejects. */
export async function decideUpgrade(
	req: BunRequest,
	{ upgrade, upgradeTimeoutMs = DEFAULT_UPGRADE_TIMEOUT_MS }: WebSocketOptions,
	logger: Logger,
): Promise<UpgradeDecision> {
	if (upgrade === undefined) return { data: {} };

	let result: unknown;
	try {
		result = upgrade(req);
		const pending = promiseOf(result);
		// Unreferenced, so that this timeout does not keep the process of a stopped application alive.
		if (pending !== undefined) result = await within(upgradeTimeoutMs, pending, () => TIMED_OUT, { unref: true });
	} catch (err) {
		if (err === TIMED_OUT) {
			logger.error(`upgrade() took longer than ${upgradeTimeoutMs} ms`);
			return {
				refusal: 'upgradeTimeout',
				response: new Response('Service Unavailable', { status: 503, headers: { 'Retry-After': '1' } }),
			};
		}
		logger.error('upgrade() failed', { err });
		return refused('Internal Server Error', 500);
	}
	if (result === null) return refused('Forbidden', 403);
	if (result instanceof Response) return { refusal: 'upgrade', response: result };
	// No other value admits a client: `false` or an Error was probably meant as a refusal.
	if (typeof result === 'object' && !(result instanceof Error)) return { data: result };
	logger.error(
		`upgrade() returned ${kindOf(result)}; it must return the connection's data (an object), null or a Response`,
		result instanceof Error ? { err: result } : undefined,
	);
	return refused('Internal Server Error', 500);
}

function refused(text: string, status: number): UpgradeDecision {
	return { refusal: 'upgrade', response: new Response(text, { status }) };
}

/** Describes a value for the log. A string is not shown, because it may be a secret. */
function kindOf(result: unknown): string {
	return typeof result === 'string' ? 'a string' : show(result);
}
