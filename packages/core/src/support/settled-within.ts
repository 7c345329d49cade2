/** Resolves when the promise is settled, or after so many milliseconds. Never rejects. */
export async function settledWithin(ms: number, promise: Promise<unknown> | undefined): Promise<void> {
	const late = Promise.withResolvers<void>();
	const timer = setTimeout(late.resolve, Math.max(0, ms));
	await Promise.race([promise?.catch(() => {}), late.promise]);
	clearTimeout(timer);
}
