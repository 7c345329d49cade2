import { TimeoutError } from './within.ts';

type Command = (...args: string[]) => Promise<unknown>;

const MORE_THAN_ANYBODY_HAS = '1000';
const ROUND_MS = 1000;

/**
 * Whether so many replicas have all that the primary has sent and get what it sends from now on. Waits for them, in vain for
 * at most `patienceMs`.
 *
 * A replica's `master_link_status:up` does not say so: after a full sync the primary holds its stream back until the
 * replica's next acknowledgement, up to a second later. And an idle primary's offset may be reached without any stream.
 * So the first WAIT has the primary ask for acknowledgements, which is itself a part of the stream, and the second waits
 * until that was answered.
 */
export async function hasReplicas(command: Command, count: number, patienceMs: number): Promise<boolean> {
	await command('WAIT', MORE_THAN_ANYBODY_HAS, '1');
	return Number(await command('WAIT', String(count), String(patienceMs))) >= count;
}

/** Rejects after `timeoutMs`. */
export async function waitForReplicas(command: Command, count: number, timeoutMs: number): Promise<void> {
	const error = new TimeoutError(`timed out after ${timeoutMs} ms waiting until ${count} replica(s) get its stream`);
	const deadline = performance.now() + timeoutMs;
	for (;;) {
		const left = deadline - performance.now();
		if (left <= 0) throw error;
		if (await hasReplicas(command, count, Math.ceil(Math.min(left, ROUND_MS)))) return;
	}
}
