/** A topic that is to be subscribed somewhere. */
export interface UnassignedChannel {
	readonly topic: string;
	/** Since when messages may be missing, in milliseconds since the epoch; undefined for one that was never subscribed before. */
	readonly since: number | undefined;
	/** Settles when it is subscribed, or never will be. */
	readonly placed: PromiseWithResolvers<void>;
}

/** Topics whose slot nobody serves at the moment, or that are on their way from one master to another. */
export class UnassignedChannels {
	readonly #waiting = new Map<string, UnassignedChannel>();
	#closed: Error | undefined;

	topics(): readonly string[] {
		return [...this.#waiting.keys()];
	}

	/** Keeps topics until somebody serves them. Resolves when they are subscribed. Nobody has to await it. */
	wait(topics: readonly string[], since: number | undefined): Promise<void> {
		if (this.#closed !== undefined) {
			const refused = Promise.reject(this.#closed);
			refused.catch(() => {});
			return refused;
		}
		const all = topics.map((topic) => {
			let homeless = this.#waiting.get(topic);
			if (homeless === undefined) {
				homeless = { topic, since, placed: Promise.withResolvers<void>() };
				this.#waiting.set(topic, homeless);
			}
			return homeless.placed.promise;
		});
		const placed = Promise.all(all).then(() => {});
		placed.catch(() => {});
		return placed;
	}

	/** Takes topics out, to be placed. */
	take(topics: readonly string[]): readonly UnassignedChannel[] {
		const taken: UnassignedChannel[] = [];
		for (const topic of topics) {
			const homeless = this.#waiting.get(topic);
			if (homeless === undefined) continue;
			this.#waiting.delete(topic);
			taken.push(homeless);
		}
		return taken;
	}

	putBack(taken: readonly UnassignedChannel[]): void {
		for (const homeless of taken) this.#waiting.set(homeless.topic, homeless);
	}

	/** Nobody wants these topics any more. */
	leave(topics: readonly string[]): void {
		for (const { placed } of this.take(topics)) placed.resolve();
	}

	close(reason: Error): void {
		this.#closed = reason;
		for (const { placed } of this.take(this.topics())) placed.reject(reason);
	}
}
