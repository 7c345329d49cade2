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

/** One listener for all applications of the process. */
const running = new Set<Stoppable>();
let asked: { readonly at: number; readonly isOurs: boolean } | undefined;

/**
 * Stops an application on SIGTERM and SIGINT; when all are stopped the process exits, with 0, or 1 if one could not stop. A second
 * signal exits with 1 at once. Where the program listens to the signal itself, the exit is left to it. Returns the undo.
 */
export function stopOnSignals(stoppable: Stoppable): () => void {
	// First of all listeners: those that are called once are gone by the time later ones are called.
	if (running.size === 0 && asked === undefined)
		for (const signal of SIGNALS) process.prependListener(signal, onSignal);
	running.add(stoppable);
	return () => {
		running.delete(stoppable);
		stopListening();
	};
}

function stopListening(): void {
	// While the process is on its way out, a signal must not end it sooner than it would otherwise.
	if (running.size === 0 && asked === undefined) for (const signal of SIGNALS) process.off(signal, onSignal);
}

function onSignal(signal: NodeJS.Signals): void {
	if (asked === undefined) {
		asked = { at: performance.now(), isOurs: process.listenerCount(signal) === 1 };
		// A program that listens too may stop its applications in its own way first.
		queueMicrotask(() => void stopAll(signal));
	} else if (asked.isOurs && performance.now() - asked.at > SAME_SIGNAL_MS) {
		for (const { logger } of running) logger.warn(`Stopped by force: ${signal} came again`);
		process.exit(1);
	}
}

async function stopAll(signal: NodeJS.Signals): Promise<void> {
	const stopped = await Promise.all(
		[...running].map(async ({ stop, logger }) => {
			logger.info(`Stopping on ${signal}`);
			try {
				await stop();
				return true;
			} catch (err) {
				logger.error('The application could not stop in order', { err });
				return false;
			}
		}),
	);
	if (asked?.isOurs === true) process.exit(stopped.every(Boolean) ? 0 : 1);
	asked = undefined;
	stopListening();
}
