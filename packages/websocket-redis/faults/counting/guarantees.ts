import type { Findings } from './findings.ts';
import type { Counts } from './counts.ts';

/** The limits within which a fault may affect a run. */
export interface Limits {
	/** The maximum number of gap events that a node may report on one topic. */
	readonly gapsPerTopic: number;
	/** Whether the fault must cause a loss, without which the run proves nothing. */
	readonly mustLose: boolean;
	readonly maxRecoveryMs: number;
	readonly maxLocalLatencyMs: number;
	/** The limit for accepted messages: one that takes longer was held back instead of being sent. */
	readonly maxRemoteLatencyMs: number;
}

/** Returns the guarantees that a run broke, each as a sentence; empty if all were kept. */
export function brokenGuarantees(counts: Counts, limits: Limits): string[] {
	const { sent, local, remote, gaps } = counts;
	const broken: string[] = [];
	const zero = (count: number, sentence: string): void => {
		if (count > 0) broken.push(`${count} ${sentence}`);
	};
	const none = ({ count, examples }: Findings, sentence: string): void => {
		zero(count, `${sentence}: ${examples.join('; ')}`);
	};
	none(remote.silent, 'message(s) lost outside every reported gap');
	zero(counts.duplicates, 'message(s) delivered twice');
	zero(counts.inversions, 'message(s) delivered after a later one of the same publisher');
	zero(counts.strays, 'message(s) delivered that were not sent to that client');
	zero(local.missing, "message(s) lost on the publisher's own node");
	zero(sent.pending, 'publish promise(s) that never settled');
	none(gaps.unreported, 'interrupted topic(s) without a gap event');
	none(gaps.wrong, 'wrong gap event(s)');
	if (gaps.mostPerTopic > limits.gapsPerTopic) {
		broken.push(`${gaps.mostPerTopic} gap events on one topic instead of ${limits.gapsPerTopic}`);
	}
	if (local.maxLatencyMs > limits.maxLocalLatencyMs) {
		broken.push(`${local.maxLatencyMs} ms to reach a client of the same node, above ${limits.maxLocalLatencyMs} ms`);
	}
	if (remote.maxLatencyMs > limits.maxRemoteLatencyMs) {
		broken.push(`${remote.maxLatencyMs} ms to reach another node, above ${limits.maxRemoteLatencyMs} ms`);
	}
	if (counts.recoveryMs > limits.maxRecoveryMs) {
		broken.push(`${counts.recoveryMs} ms from the repair to the last loss, above ${limits.maxRecoveryMs} ms`);
	}
	if (limits.mustLose && remote.missing === 0) broken.push('no message was lost: the fault did not happen');
	return broken;
}
