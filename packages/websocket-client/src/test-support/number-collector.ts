/** The options of a subscription that collects the numbers of its messages. */
export class NumberCollector {
	readonly #received: number[] = [];
	readonly onMessage: (data: unknown) => void = (data) => void this.#received.push((data as { n: number }).n);

	get received(): readonly number[] {
		return this.#received;
	}
}

export function numberCollector(): NumberCollector {
	return new NumberCollector();
}
