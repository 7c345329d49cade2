import { onTestFinished } from 'vitest';
import { ticks } from './ticks.ts';

const EVENT = 'unhandledRejection';

export interface RejectionWatch {
	/** Returns the reasons of all unhandled rejections so far. */
	seen(): Promise<readonly unknown[]>;
}

/** Records unhandled rejections. Until the test is over, this replaces Vitest's listener, which would fail the test. */
export function watchUnhandledRejections(): RejectionWatch {
	const reasons: unknown[] = [];
	const others = process.listeners(EVENT);
	const listener = (reason: unknown): void => void reasons.push(reason);
	process.removeAllListeners(EVENT);
	process.on(EVENT, listener);
	onTestFinished(() => {
		process.off(EVENT, listener);
		for (const other of others) process.on(EVENT, other);
	});
	return {
		async seen() {
			await ticks(5);
			return reasons;
		},
	};
}
