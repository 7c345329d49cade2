/** Counts the arrivals of one publisher's messages on one channel at one client. */
export interface StreamCount {
	/** The numbers that arrived, each once. */
	readonly arrived: ReadonlySet<number>;
	/** Arrivals of a number that had arrived before. */
	readonly duplicates: number;
	/** First arrivals of a number after a higher one. */
	readonly inversions: number;
	/** Arrivals of a number that was never published. */
	readonly strays: number;
}

/** @param sent how many messages were published @param arrivals the numbers that arrived, in order of arrival */
export function countStream(sent: number, arrivals: readonly number[]): StreamCount {
	const arrived = new Set<number>();
	let duplicates = 0;
	let inversions = 0;
	let strays = 0;
	let highest = -1;
	for (const number of arrivals) {
		if (!(number >= 0 && number < sent)) strays++;
		else if (arrived.has(number)) duplicates++;
		else if (number < highest) inversions++;
		arrived.add(number);
		highest = Math.max(highest, number);
	}
	return { arrived, duplicates, inversions, strays };
}
