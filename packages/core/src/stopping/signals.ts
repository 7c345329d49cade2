import type { Logger } from '@orijs/websocket';
import { acrossReloads } from '../reloading/hot-state.ts';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** A signal that stops applications. */
export type StopSignal = (typeof SIGNALS)[number];

/**
 * One Ctrl-C can arrive several times: from the terminal, and forwarded by each `bun run` in between. Signals within
 * this many milliseconds count as one.
 */
const SAME_SIGNAL_MS = 300;

/** An application to stop, and its logger. */
interface Stoppable {
	stop(signal: StopSignal): Promise<void>;
	readonly logger: Logger;
}

interface SignalState {
	/** The running applications of the process. They share one signal listener. */
	readonly running: Set<Stoppable>;
	/** The signal listener, while there is one. */
	listener: ((signal: StopSignal) => void) | undefined;
	/** The first signal received. `isExitOurs` is false if the program has its own listener for the signal. */
	received: { readonly at: number; readonly isExitOurs: boolean } | undefined;
}

const state = acrossReloads<SignalState>('signals', () => ({
	running: new Set(),
	listener: undefined,
	received: undefined,
}));

/**
 * Stops an application on SIGTERM and SIGINT. Once all applications have stopped, the process exits with 0, or with 1
 * if one failed to stop. A second signal exits with 1 immediately. If the program has its own listener for the signal,
 * exiting is left to the program. Returns a function that stops listening.
 */
export function stopOnSignals(stoppable: Stoppable): () => void {
	listen();
	state.running.add(stoppable);
	return () => {
		state.running.delete(stoppable);
		stopListening();
	};
}

function listen(): void {
	if (state.listener !== undefined) return;
	state.listener = onSignal;
	// Prepended, so that `onSignal` runs first and can count all other listeners: a `once` listener is removed before it
	// runs.
	for (const signal of SIGNALS) process.prependListener(signal, onSignal);
}

function stopListening(): void {
	// The listener is kept while applications are stopping: without it, another signal would kill the process.
	if (state.running.size > 0 || state.received !== undefined || state.listener === undefined) return;
	for (const signal of SIGNALS) process.off(signal, state.listener);
	state.listener = undefined;
}

function onSignal(signal: StopSignal): void {
	const { received, running } = state;
	if (received === undefined) {
		state.received = { at: performance.now(), isExitOurs: process.listenerCount(signal) === 1 };
		// Deferred so that the program's own listeners can stop its applications first.
		queueMicrotask(() => void stopAll(signal));
	} else if (received.isExitOurs && performance.now() - received.at > SAME_SIGNAL_MS) {
		for (const { logger } of running) logger.warn(`Exiting without waiting: ${signal} received again`);
		process.exit(1);
	}
}

async function stopAll(signal: StopSignal): Promise<void> {
	const stopped = await Promise.all(
		[...state.running].map(async ({ stop, logger }) => {
			logger.info(`Stopping on ${signal}`);
			try {
				await stop(signal);
				return true;
			} catch (err) {
				logger.error('The application failed to stop cleanly', { err });
				return false;
			}
		}),
	);
	if (state.received?.isExitOurs === true) process.exit(stopped.every(Boolean) ? 0 : 1);
	state.received = undefined;
	stopListening();
}
