import type { Outcome } from '../messages.ts';

/** Says how many nodes have not answered; an empty text if all have. */
export function unansweredText({ nodes, answered }: Outcome): string {
	return answered === nodes ? '' : `${nodes - answered} of ${nodes} nodes did not answer.`;
}
