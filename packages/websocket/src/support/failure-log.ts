import type { BusStage } from '../bus.ts';
import type { Logger } from '../logger.ts';
import { rejected } from './promises.ts';

/** Logs the failures of a provider. */
export class FailureLog {
	readonly #logger: Logger;

	constructor(logger: Logger) {
		this.#logger = logger;
	}

	/** Logs a failure in the background. */
	report(error: Error, stage: BusStage): void {
		this.#logger.error(`WebSocket failure (${stage}): ${error.message}`, { stage, err: error });
	}

	/** Rejects a call. Also logs the error, because the promise may be ignored. */
	refuse(error: Error): Promise<never> {
		this.#logger.warn(error.message, { err: error });
		return rejected(error);
	}
}
