/**
 * Where a topic's changes are:
 *
 * - `soon`: they wait for others, to be sent together
 * - `due`: they are sent as soon as possible
 * - `sending`: a step is on its way; further changes wait for it
 * - `failed`: the last step has failed; they are sent again later
 */
export type ChangesState = 'soon' | 'due' | 'sending' | 'failed';

/** The members of a topic whose records may not be as they are to be. */
export class TopicChanges<TMember> {
	state: ChangesState = 'soon';
	/** Whether a step has failed, and none has succeeded since. */
	hasFailed = false;
	/** How often records of the topic may have been lost. */
	losses = 0;
	readonly #dirty = new Set<TMember>();
	/** How many members have been added. */
	#added = 0;
	/** How many of them are stored. They are taken in the order in which they were added. */
	#done = 0;
	#waiting: { readonly upTo: number; readonly resolve: () => void }[] = [];

	get size(): number {
		return this.#dirty.size;
	}

	add(member: TMember): void {
		if (this.#dirty.has(member)) return;
		this.#dirty.add(member);
		this.#added++;
	}

	has(member: TMember): boolean {
		return this.#dirty.has(member);
	}

	/** Takes the members one by one, the oldest first. */
	*take(): Generator<TMember> {
		for (const member of this.#dirty) {
			this.#dirty.delete(member);
			yield member;
		}
	}

	/** Called when `count` of the members that were taken are stored. */
	done(count: number): void {
		this.#done += count;
		if (this.#waiting.length === 0) return;
		for (const { upTo, resolve } of this.#waiting) if (upTo <= this.#done) resolve();
		this.#waiting = this.#waiting.filter(({ upTo }) => upTo > this.#done);
	}

	/** Resolves once all that has been added until now is stored, or when waiting for it is given up. */
	settled(): Promise<void> {
		return new Promise((resolve) => this.#waiting.push({ upTo: this.#added, resolve }));
	}

	/** Called when what is dirty can't be stored at the moment. */
	giveUp(): void {
		for (const { resolve } of this.#waiting) resolve();
		this.#waiting = [];
	}

	/** Takes members back whose step has failed. */
	failed(members: Iterable<TMember>): void {
		this.giveUp();
		for (const member of members) this.#dirty.add(member);
		this.#added = this.#dirty.size;
		this.#done = 0;
	}
}
