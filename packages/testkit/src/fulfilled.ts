/** What those gave that did not fail, in their order. */
export async function fulfilled<T>(promises: readonly Promise<T>[]): Promise<T[]> {
	const outcomes = await Promise.allSettled(promises);
	return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
}
