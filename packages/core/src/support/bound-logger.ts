import type { LogDetails, Logger } from '@orijs/websocket';

/** A logger that adds the same details to every line. */
export class BoundLogger implements Logger {
	readonly #logger: Logger;
	readonly #bound: LogDetails;

	constructor(logger: Logger, bound: LogDetails) {
		this.#logger = logger;
		this.#bound = bound;
	}

	debug(message: string, details?: LogDetails): void {
		this.#logger.debug(message, { ...this.#bound, ...details });
	}

	info(message: string, details?: LogDetails): void {
		this.#logger.info(message, { ...this.#bound, ...details });
	}

	warn(message: string, details?: LogDetails): void {
		this.#logger.warn(message, { ...this.#bound, ...details });
	}

	error(message: string, details?: LogDetails): void {
		this.#logger.error(message, { ...this.#bound, ...details });
	}
}
