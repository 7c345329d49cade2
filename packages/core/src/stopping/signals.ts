import type { Logger } from '@orijs/websocket';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/**
 * One Ctrl-C can arrive several times: from the terminal, and passed on by each `bun run` in between. What comes within this
 * many milliseconds is one signal.
 */
const SAME_SIGNAL_MS = 300;

/** What is to be stopped, and who is told. */
interface Stoppable {
	stop(): Promise<void>;
	readonly logger: Logger;
}

/** One listener for all applications of the process: Node counts listeners. */
const running = new Set<Stoppable>();
let askedAt: number | undefined;

/**
 * Stops an application on SIGTERM and SIGINT; when all are stopped the process exits, with 0, or 1 if one could not stop. A second
 * signal exits with 1 at once. Where the application listens to the signal itself, the exit is left to it. Returns the undo.
 */
export function stopOnSignals(stoppable: Stoppable): () => void {
	if (running.size === 0) for (const signal of SIGNALS) process.on(signal, onSignal);
	running.add(stoppable);
	return () => {
		running.delete(stoppable);
		// While the process is on its way out, a signal must not end it sooner than it would otherwise.
		if (running.size === 0 && askedAt === undefined) for (const signal of SIGNALS) process.off(signal, onSignal);
	};
}

function onSignal(signal: NodeJS.Signals): void {
	if (askedAt === undefined) {
		askedAt = performance.now();
		void stopAll(signal);
	} else if (performance.now() - askedAt > SAME_SIGNAL_MS) {
		process.exit(1);
	}
}

async function stopAll(signal: NodeJS.Signals): Promise<void> {
	const isOurs = process.listenerCount(signal) === 1;
	const stopped = await Promise.all(
		[...running].map(async ({ stop, logger }) => {
			logger.info(`Stopping on ${signal}; a second one forces it`);
			try {
				await stop();
				return true;
			} catch (err) {
				logger.error('The application could not stop in order', { err });
				return false;
			}
		}),
	);
	if (isOurs) process.exit(stopped.every(Boolean) ? 0 : 1);
	askedAt = undefined;
	for (const each of SIGNALS) process.off(each, onSignal);
}
