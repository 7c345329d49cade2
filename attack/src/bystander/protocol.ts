/** What the well-behaved client noticed since it was asked before. */
export interface Noticed {
	readonly answers: number;
	/** The longest time that an answer took, or has taken so far, in milliseconds. */
	readonly slowestMs: number;
	/** How many messages of the news are missing, in all. */
	readonly missed: number;
	/** The latest message. */
	readonly lastNews: number;
	/** How often its connection ended, in all. */
	readonly closes: number;
}
