import { TimeoutError } from './within.ts';

type Command = (...args: string[]) => Promise<unknown>;

/** More replicas than any primary has, so that WAIT always times out. */
const UNREACHABLE_COUNT = '1000';
const ROUND_MS = 1000;
/** A replica may take a second until it receives its primary's stream. */
const REPLICA_TIMEOUT_MS = 1500;

/**
 * Returns whether `count` replicas have everything that the primary has sent and receive what it sends next. Waits for
 * them up to `timeoutMs`.
 *
 * `master_link_status:up` on a replica is not enough: after a full sync the primary holds back its stream until the
 * replica's next acknowledgement, up to a second later. And a replica may have the offset of an idle primary without
 * receiving its stream. So the first WAIT makes the primary request acknowledgements, in the stream itself, and the
 * second waits until the replicas have answered.
 */
export async function hasReplicas(
	command: Command,
	count: number,
	timeoutMs: number = REPLICA_TIMEOUT_MS,
): Promise<boolean> {
	await command('WAIT', UNREACHABLE_COUNT, '1');
	return Number(await command('WAIT', String(count), String(timeoutMs))) >= count;
}

/** Rejects after `timeoutMs`. */
export async function waitForReplicas(command: Command, count: number, timeoutMs: number): Promise<void> {
	const error = new TimeoutError(
		`timed out after ${timeoutMs} ms waiting until ${count} replica(s) receive its stream`,
	);
	const deadline = performance.now() + timeoutMs;
	for (;;) {
		const left = deadline - performance.now();
		if (left <= 0) throw error;
		if (await hasReplicas(command, count, Math.ceil(Math.min(left, ROUND_MS)))) return;
	}
}
