import { consoleLogger, type Logger, safely } from '@orijs/websocket';
import { show } from '@orijs/websocket/internal';
import { ApplicationError } from '../errors.ts';
import { DEFAULT_GRACE_MS, delayFault } from '../stopping/grace-period.ts';
import { checkOptions } from '../support/check-options.ts';
import { isPlainPath } from '../support/route-path.ts';

export interface ApplicationOptions {
	/** Receives all log lines. Default: the console, without debug lines. */
	readonly logger?: Logger;
	/**
	 * Whether SIGTERM and SIGINT stop the application while it listens. The process then exits: with 0, or with 1 if
	 * stopping failed or a second signal arrived. If the program has its own listener for the signal, exiting is left to
	 * the program. Default true.
	 */
	readonly signals?: boolean;
	/**
	 * How long `stop` waits for connections, handlers and requests, in milliseconds. Also applies when a signal stops
	 * the application. Default 10,000.
	 */
	readonly graceMs?: number;
	/**
	 * The path of the readiness route, which answers 200 while the application listens and 503 once it is stopping. A
	 * route of the application with this path replaces it; `false` turns it off. An outage of the provider's backend
	 * does not count: it would take all nodes out of rotation at once. Default `/readyz`.
	 */
	readonly readinessPath?: string | false;
	/**
	 * How long the application continues to serve after SIGTERM, in milliseconds, while the readiness route answers 503
	 * and load balancers take it out of rotation. `graceMs` starts afterwards. Does not apply to SIGINT or to calls of
	 * `stop`. Default 5,000.
	 */
	readonly readinessDelayMs?: number;
}

export interface StopOptions {
	/**
	 * How long to wait for connections, handlers and requests, in milliseconds. Default: the application's `graceMs`.
	 */
	readonly graceMs?: number;
	/**
	 * How long to continue serving first, in milliseconds, while the readiness route answers 503. `graceMs` starts
	 * afterwards. Default 0.
	 */
	readonly readinessDelayMs?: number;
}

const DEFAULT_READINESS_PATH = '/readyz';
/** Kubernetes and load balancers take a few seconds to stop sending connections to an instance. */
const DEFAULT_READINESS_DELAY_MS = 5_000;

const OPTIONS = ['logger', 'signals', 'graceMs', 'readinessPath', 'readinessDelayMs'];

/**
 * Validates the options and fills in defaults.
 *
 * @throws {ApplicationError} an option is unknown or invalid
 */
export function readApplicationOptions(options: ApplicationOptions): Required<ApplicationOptions> {
	checkOptions('new Application()', options, OPTIONS);
	const {
		logger = consoleLogger,
		signals = true,
		graceMs = DEFAULT_GRACE_MS,
		readinessPath = DEFAULT_READINESS_PATH,
		readinessDelayMs = DEFAULT_READINESS_DELAY_MS,
	} = options;
	if (typeof signals !== 'boolean') throw new ApplicationError(`signals must be true or false, not ${show(signals)}`);
	if (readinessPath !== false && !(typeof readinessPath === 'string' && isPlainPath(readinessPath))) {
		throw new ApplicationError(
			'readinessPath must be false, or a path that begins with / and is URL-encoded, without parameters, ? or #; ' +
				`not ${show(readinessPath)}`,
		);
	}
	const fault = delayFault('graceMs', graceMs) ?? delayFault('readinessDelayMs', readinessDelayMs);
	if (fault !== undefined) throw new ApplicationError(fault);
	return { logger: safeLogger(logger), signals, graceMs, readinessPath, readinessDelayMs };
}

function safeLogger(logger: Logger): Logger {
	try {
		return safely(logger);
	} catch (error) {
		throw new ApplicationError((error as Error).message);
	}
}

/**
 * Validates the options of `stop` and fills in defaults.
 *
 * @throws {ApplicationError} an option is unknown or invalid
 */
export function readStopOptions(options: StopOptions, defaultGraceMs: number): Required<StopOptions> {
	checkOptions('stop()', options, ['graceMs', 'readinessDelayMs']);
	const { graceMs = defaultGraceMs, readinessDelayMs = 0 } = options;
	const fault = delayFault('graceMs', graceMs) ?? delayFault('readinessDelayMs', readinessDelayMs);
	if (fault !== undefined) throw new ApplicationError(`stop(): ${fault}`);
	return { graceMs, readinessDelayMs };
}
