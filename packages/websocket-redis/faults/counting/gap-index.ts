import type { Gap } from './run.ts';

/** The gap events of a run, and the topics that lost messages, by node and topic. */
export class GapIndex {
	readonly #gaps = new Map<string, Gap[]>();
	readonly #losses = new Set<string>();

	constructor(gaps: readonly Gap[]) {
		for (const gap of gaps) {
			const key = keyOf(gap.node, gap.topic);
			const others = this.#gaps.get(key);
			if (others === undefined) this.#gaps.set(key, [gap]);
			else others.push(gap);
		}
	}

	of(node: string, topic: string): readonly Gap[] {
		return this.#gaps.get(keyOf(node, topic)) ?? [];
	}

	/** The highest number of events that a node reported on one topic. */
	get most(): number {
		let most = 0;
		for (const gaps of this.#gaps.values()) most = Math.max(most, gaps.length);
		return most;
	}

	/** Records a loss. Returns whether a gap reported it. */
	recordLoss(node: string, topic: string, publishedAt: number): boolean {
		this.#losses.add(keyOf(node, topic));
		return this.of(node, topic).some(({ since, until }) => since <= publishedAt && publishedAt <= until);
	}

	/** Returns whether a loss was recorded. */
	hasLost(node: string, topic: string): boolean {
		return this.#losses.has(keyOf(node, topic));
	}
}

function keyOf(node: string, topic: string): string {
	return `${node} ${topic}`;
}
