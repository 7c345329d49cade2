import type { Findings } from './findings.ts';
import type { Verdict } from './verdict.ts';

/** What one fault may cost. */
export interface Terms {
	/** Gap events that one node may report on one topic. */
	readonly gapsPerTopic: number;
	/** Whether the fault can't pass without a loss: then a run that lost nothing has proved nothing. */
	readonly mustLose: boolean;
	readonly maxRecoveryMs: number;
	readonly maxLocalLatencyMs: number;
	/** For messages that were accepted: above this they were not sent, but kept and sent later. */
	readonly maxRemoteLatencyMs: number;
}

/** The promises that a run broke, each as a sentence; empty when all were kept. */
export function brokenPromises(verdict: Verdict, terms: Terms): string[] {
	const { sent, local, remote, gaps } = verdict;
	const broken: string[] = [];
	const zero = (count: number, sentence: string): void => {
		if (count > 0) broken.push(`${count} ${sentence}`);
	};
	const none = ({ count, examples }: Findings, sentence: string): void => {
		zero(count, `${sentence}: ${examples.join('; ')}`);
	};
	none(remote.silent, 'message(s) lost outside every reported gap');
	zero(verdict.duplicates, 'message(s) delivered twice');
	zero(verdict.inversions, "message(s) delivered after a later one of the same publisher's");
	zero(verdict.strays, 'message(s) delivered that nobody sent to that client');
	zero(local.missing, "message(s) lost on the publisher's own node");
	zero(sent.pending, 'publish promise(s) that never settled');
	none(gaps.unreported, 'interrupted topic(s) without a gap event');
	none(gaps.wrong, 'gap event(s) that say what is not so');
	if (gaps.mostPerTopic > terms.gapsPerTopic) {
		broken.push(`${gaps.mostPerTopic} gap events on one topic instead of ${terms.gapsPerTopic}`);
	}
	if (local.maxLatencyMs > terms.maxLocalLatencyMs) {
		broken.push(`${local.maxLatencyMs} ms to reach a client of the same node, above ${terms.maxLocalLatencyMs} ms`);
	}
	if (remote.maxLatencyMs > terms.maxRemoteLatencyMs) {
		broken.push(`${remote.maxLatencyMs} ms to reach another node, above ${terms.maxRemoteLatencyMs} ms`);
	}
	if (verdict.recoveryMs > terms.maxRecoveryMs) {
		broken.push(`${verdict.recoveryMs} ms until the last loss once all was back, above ${terms.maxRecoveryMs} ms`);
	}
	if (terms.mustLose && remote.missing === 0) broken.push('nothing was lost: the fault did not happen');
	return broken;
}
