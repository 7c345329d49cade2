/** Waits for one turn of the event loop, so that callbacks scheduled for the end of this tick have run. */
export function nextTick(): Promise<void> {
	return new Promise((resolve) => setImmediate(resolve));
}

export async function ticks(count: number): Promise<void> {
	for (let i = 0; i < count; i++) await nextTick();
}
