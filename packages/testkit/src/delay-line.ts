/** Passes things on later, in the order in which they came. */
export interface DelayLine {
	/** Sets how long what comes from now on takes, in milliseconds; 0: no delay. */
	delay(ms: number): void;
	/** Calls `action` after the delay, and after all that came before it; at once if there is nothing to wait for. */
	pass(action: () => void): void;
	/** Drops what is on its way. */
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
