/** What the well-behaved client has noticed. */
export interface Noticed {
	readonly answers: number;
	/**
	 * The longest wait for an answer since the last report, in milliseconds. Includes an answer that is still pending.
	 */
	readonly slowestMs: number;
	/** The total number of news messages that it missed. */
	readonly missed: number;
	/** The latest message. */
	readonly lastNews: number;
	/** The total number of times that its connection ended. */
	readonly closes: number;
}
