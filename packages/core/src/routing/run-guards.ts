import { show } from '@orijs/websocket/internal';
import { SocketError } from '@orijs/websocket/protocol';
import type { FaultLog } from '../support/fault-log.ts';
import { GuardRun } from './guard-run.ts';
import type { RoutingTable } from './routing-table.ts';
import type { ConnectionGuard } from './socket-router.ts';

export type GuardTable = Pick<RoutingTable, 'authenticate' | 'guards'>;

/**
 * What guards have decided: `passed`, `failed` if one threw, the code with which one refused, or undefined if they are
 * no longer waited for.
 */
export type Verdict = 'passed' | 'failed' | { readonly code: string } | undefined;

/** Whether a guard has refused only because it could not decide. */
export function isUnavailable(verdict: Verdict): boolean {
	return typeof verdict === 'object' && verdict.code === 'unavailable';
}

/** Runs `authenticate`, then all guards in order, until one does not pass. Never rejects. */
export async function runGuards(run: GuardRun, table: GuardTable, faults: FaultLog): Promise<Verdict> {
	const { authenticate, guards } = table;
	if (authenticate !== undefined) {
		const verdict = await ask(run, authenticate as ConnectionGuard<object>, 'authenticate()', faults);
		if (verdict !== 'passed') return verdict;
	}
	GuardRun.forgetAuth(run);
	for (const guard of guards) {
		const verdict = await ask(run, guard, 'a guard', faults);
		if (verdict !== 'passed') return verdict;
	}
	return GuardRun.expiryOf(run) > performance.now() ? 'passed' : { code: TOKEN_EXPIRED };
}

/** The reason in the close frame of a connection whose credentials have expired. */
export const TOKEN_EXPIRED = 'token_expired';

async function ask(
	run: GuardRun,
	guard: ConnectionGuard<object>,
	name: 'authenticate()' | 'a guard',
	faults: FaultLog,
): Promise<Verdict> {
	const { socketId } = run;
	let result: unknown;
	try {
		result = await guard(run);
	} catch (err) {
		if (!GuardRun.isRunning(run)) return undefined;
		if (err instanceof SocketError) return { code: err.code };
		faults.failed(
			{ what: name === 'a guard' ? 'A connection guard failed' : 'authenticate() failed', err },
			{ socketId },
		);
		return 'failed';
	}
	if (!GuardRun.isRunning(run)) return undefined;
	if (result === true) return 'passed';
	if (result !== false) {
		faults.wrong(
			`Connection refused: ${name} returned ${show(result)}; it must return true or false`,
			`Connections refused: ${name} returned something other than true or false`,
			{ socketId },
		);
	}
	return { code: 'unauthorized' };
}
