/** Reports the first failure of an outage. */
export class OutageLog {
	readonly #report: (thrown: unknown) => void;
	#isReported = false;

	constructor(report: (thrown: unknown) => void) {
		this.#report = report;
	}

	failed(thrown: unknown): void {
		if (this.#isReported) return;
		this.#isReported = true;
		this.#report(thrown);
	}

	/** Called when it works again. */
	over(): void {
		this.#isReported = false;
	}
}
