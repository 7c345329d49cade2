/** Calls actions after a delay, in the order in which they were passed to it. */
export interface DelayLine {
	/** Sets the delay of all later actions, in milliseconds. 0 means no delay. */
	delay(ms: number): void;
	/**
	 * Calls `action` after the delay, but not before earlier actions have been called. If there is no delay and no
	 * action is waiting, calls it immediately.
	 */
	pass(action: () => void): void;
	/** Drops all waiting actions. */
	close(): void;
}

export function createDelayLine(): DelayLine {
	let ms = 0;
	let waiting: { readonly due: number; readonly action: () => void }[] = [];
	let timer: ReturnType<typeof setTimeout> | undefined;

	const release = (): void => {
		timer = undefined;
		// A timer may fire up to a millisecond early.
		while (waiting[0] !== undefined && waiting[0].due <= performance.now() + 1) waiting.shift()?.action();
		schedule();
	};
	const schedule = (): void => {
		const [first] = waiting;
		if (first !== undefined) timer ??= setTimeout(release, Math.max(1, first.due - performance.now()));
	};

	return {
		delay(next) {
			ms = next;
		},
		pass(action) {
			if (ms === 0 && waiting.length === 0) return action();
			waiting.push({ due: Math.max(performance.now() + ms, waiting.at(-1)?.due ?? 0), action });
			schedule();
		},
		close() {
			clearTimeout(timer);
			waiting = [];
		},
	};
}
