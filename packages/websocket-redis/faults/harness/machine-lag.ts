const EVERY_MS = 10;

/** How late this process was at most since the call: what it counts may look so much later than it was. */
export function watchLag(): { readonly maxMs: () => number; readonly stop: () => void } {
	let last = performance.now();
	let max = 0;
	const timer = setInterval(() => {
		const now = performance.now();
		max = Math.max(max, now - last - EVERY_MS);
		last = now;
	}, EVERY_MS);
	return { maxMs: () => Math.ceil(max), stop: () => clearInterval(timer) };
}
