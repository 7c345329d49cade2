import type { BusStage } from '../bus.ts';
import type { Logger } from '../logger.ts';
import { rejected } from './promises.ts';

/** Where failures of a provider are logged. */
export class FailureLog {
	readonly #logger: Logger;

	constructor(logger: Logger) {
		this.#logger = logger;
	}

	/** Something failed in the background. */
	report(error: Error, stage: BusStage): void {
		this.#logger.error(`WebSocket ${stage} failed: ${error.message}`, { stage, err: error });
	}

	/** Refuses a call. Logged as well, because its promise may be ignored. */
	refuse(error: Error): Promise<never> {
		this.#logger.warn(error.message, { err: error });
		return rejected(error);
	}
}
