/** Resolves with the values of the promises that fulfilled, in order. */
export async function fulfilled<T>(promises: readonly Promise<T>[]): Promise<T[]> {
	const outcomes = await Promise.allSettled(promises);
	return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
}
