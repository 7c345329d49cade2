import { TimeoutError } from './within.ts';

type Command = (...args: string[]) => Promise<unknown>;

/** More replicas than any primary has, so that WAIT for this number always times out. */
const UNREACHABLE_COUNT = '1000';
const ROUND_MS = 1000;
/** A replica may take a second to begin receiving its primary's stream, so this is slightly longer. */
const REPLICA_TIMEOUT_MS = 1500;

/**
 * Resolves with whether `count` replicas have received everything that the primary has sent, and will receive what it
 * sends next. Waits for them for up to `timeoutMs`.
 *
 * `master_link_status:up` on a replica is not enough: after a full sync, the primary holds back its stream until the
 * replica's next acknowledgement, which comes up to a second later. Moreover, a replica may have reached the offset of
 * an idle primary without receiving its stream. The first WAIT therefore makes the primary request acknowledgements, in
 * the stream itself, and the second one waits until the replicas have answered.
 */
export async function hasReplicas(
	command: Command,
	count: number,
	timeoutMs: number = REPLICA_TIMEOUT_MS,
): Promise<boolean> {
	await command('WAIT', UNREACHABLE_COUNT, '1');
	return Number(await command('WAIT', String(count), String(timeoutMs))) >= count;
}

/** Resolves once {@link hasReplicas} resolves with true. Rejects after `timeoutMs`. */
export async function waitForReplicas(command: Command, count: number, timeoutMs: number): Promise<void> {
	const error = new TimeoutError(
		`timed out after ${timeoutMs} ms waiting until ${count} replica(s) receive the primary's stream`,
	);
	const deadline = performance.now() + timeoutMs;
	for (;;) {
		const left = deadline - performance.now();
		if (left <= 0) throw error;
		if (await hasReplicas(command, count, Math.ceil(Math.min(left, ROUND_MS)))) return;
	}
}
