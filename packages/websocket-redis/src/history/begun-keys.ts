import { SLOTS, slotOf } from '../cluster/slot.ts';

/**
 * Names the keys that count the topics that have begun. A script can use only one slot of a Redis Cluster, so each slot
 * has its own key there; on a single server, all topics share one. Topics that are remembered for different times are
 * counted separately.
 */
export class BegunKeys {
	readonly #keyPrefix: string;
	readonly #isCluster: boolean;
	/** For each slot, a number that makes {@link BegunKeys.#tag} a name in this slot. */
	#numbers: Int32Array | undefined;

	constructor(keyPrefix: string, isCluster: boolean) {
		this.#keyPrefix = keyPrefix;
		this.#isCluster = isCluster;
	}

	keyOf(topic: string, rememberedMs: number): string {
		return `{${this.#tagOf(topic)}}:begun:${rememberedMs}`;
	}

	#tagOf(topic: string): string {
		// A topic that is only used to test the scripts has its own key, which can be deleted.
		if (topic.startsWith('!')) return `${this.#keyPrefix}:${topic}`;
		if (!this.#isCluster) return this.#tag('');
		this.#numbers ??= this.#numberSlots();
		return this.#tag(this.#numbers[slotOf(`${this.#keyPrefix}:${topic}`)] as number);
	}

	/** Takes about 20 ms, once. */
	#numberSlots(): Int32Array {
		const numbers = new Int32Array(SLOTS).fill(-1);
		for (let missing = SLOTS, number = 0; missing > 0; number++) {
			const slot = slotOf(this.#tag(number));
			if (numbers[slot] !== -1) continue;
			numbers[slot] = number;
			missing--;
		}
		return numbers;
	}

	#tag(number: number | ''): string {
		return `${this.#keyPrefix}:!${number}`;
	}
}
