import { InvalidUserIdError } from '@orijs/websocket';
import { isUserId, promiseOf, show, within } from '@orijs/websocket/internal';
import type { BunRequest } from 'bun';
import type { FaultLog } from '../support/fault-log.ts';
import type { WebSocketOptions } from '../websocket-options.ts';
import { AddedHeaders } from './handshake-headers.ts';

/** The default of `upgradeTimeoutMs`, in milliseconds. */
const DEFAULT_UPGRADE_TIMEOUT_MS = 5_000;

/** How long the application's `upgrade` may take, in milliseconds; 0 without one. */
export function upgradeTimeoutOf({ upgrade, upgradeTimeoutMs = DEFAULT_UPGRADE_TIMEOUT_MS }: WebSocketOptions): number {
	return upgrade === undefined ? 0 : upgradeTimeoutMs;
}

const TIMED_OUT = new Error('upgrade() timed out');

/**
 * The outcome of the application's `upgrade`: the connection's data, the headers to add to the 101 response and who the
 * user is, or the kind of refusal and the response to send.
 */
export type UpgradeDecision =
	| { readonly data: object; readonly headers: Headers | undefined; readonly userId: string | undefined }
	| { readonly refusal: 'upgrade' | 'upgradeTimeout'; readonly response: Response };

/** Calls the application's `upgrade`, with a time limit, and interprets its result. Never rejects. */
export async function decideUpgrade(
	req: BunRequest,
	{ upgrade, upgradeTimeoutMs = DEFAULT_UPGRADE_TIMEOUT_MS }: WebSocketOptions,
	faults: FaultLog,
): Promise<UpgradeDecision> {
	if (upgrade === undefined) return { data: {}, headers: undefined, userId: undefined };

	const response = new AddedHeaders();
	let result: unknown;
	try {
		result = upgrade(req, response);
		const pending = promiseOf(result);
		// The timer is unreferenced, so that it does not keep the process alive once the application has stopped.
		if (pending !== undefined) result = await within(upgradeTimeoutMs, pending, () => TIMED_OUT, { unref: true });
	} catch (err) {
		if (err === TIMED_OUT) {
			faults.wrong(`upgrade() took longer than ${upgradeTimeoutMs} ms`, 'upgrade() took too long', {});
			return {
				refusal: 'upgradeTimeout',
				response: new Response('Service Unavailable', { status: 503, headers: { 'Retry-After': '1' } }),
			};
		}
		faults.failed({ what: 'upgrade() failed', err }, {});
		return refused('Internal Server Error', 500);
	}
	if (result === null || result === false) return refused('Forbidden', 403);
	if (result instanceof Response) return { refusal: 'upgrade', response: result };
	// An Error is an object too, but it was probably meant as a refusal, so it does not admit the client.
	if (typeof result === 'object' && !(result instanceof Error)) return accepted(result, response, faults);
	faults.wrong(
		`upgrade() returned ${kindOf(result)}; it must return the connection's data (an object), a Response, or null or ` +
			'false to reject',
		"upgrade() returned something other than the connection's data (an object), a Response, null or false",
		result instanceof Error ? { err: result } : {},
	);
	return refused('Internal Server Error', 500);
}

function accepted(data: object, response: AddedHeaders, faults: FaultLog): UpgradeDecision {
	const { added, reserved, userId } = response;
	if (userId !== undefined && !isUserId(userId)) {
		const err = new InvalidUserIdError(userId);
		faults.failed({ what: 'upgrade() has set an invalid response.userId', err }, {});
		return refused('Internal Server Error', 500);
	}
	if (reserved === undefined) return { data, headers: added, userId };
	faults.wrong(
		`upgrade() set the header ${reserved}, which belongs to the handshake; it may set any header except Sec-WebSocket-*, ` +
			'Connection, Upgrade, Content-Length and Transfer-Encoding. The option subprotocol sets the subprotocol',
		'upgrade() set headers that belong to the handshake',
		{},
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
