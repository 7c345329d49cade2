/** Waits one turn of the event loop: what the code under test scheduled for the end of this tick has run then. */
export function nextTick(): Promise<void> {
	return new Promise((resolve) => setImmediate(resolve));
}

export async function ticks(count: number): Promise<void> {
	for (let i = 0; i < count; i++) await nextTick();
}
