/** Returns handlers for a subscription that collect the numbers of its messages. */
export function numberCollector(): { readonly received: number[]; onMessage(data: unknown): void } {
	const received: number[] = [];
	return { received, onMessage: (data) => void received.push((data as { n: number }).n) };
}
