const EVERY_MS = 10;

/** Measures the longest delay of this process since the call, by which its other measurements may be too late. */
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
