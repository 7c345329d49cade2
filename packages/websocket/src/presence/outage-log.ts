/** What can fail in an outage. */
export type OutagePart = 'lease' | 'changes' | 'sweep';

/** Reports the first failure of an outage, which lasts until all that has failed works again. */
export class OutageLog {
	readonly #report: (thrown: unknown) => void;
	readonly #failing = new Set<OutagePart>();

	constructor(report: (thrown: unknown) => void) {
		this.#report = report;
	}

	failed(part: OutagePart, thrown: unknown): void {
		if (this.#failing.size === 0) this.#report(thrown);
		this.#failing.add(part);
	}

	/** Called when something works again. */
	over(part: OutagePart): void {
		this.#failing.delete(part);
	}
}
