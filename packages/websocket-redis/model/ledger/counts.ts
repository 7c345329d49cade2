import type { Published } from './records.ts';

/** Deliveries, not messages: a message counts once for each receiver that had to get it. */
export interface Losses {
	expected: number;
	missing: number;
	/** Missing, and in no gap that was told. */
	silent: number;
}

export function noLosses(): Losses {
	return { expected: 0, missing: 0, silent: 0 };
}

/** Something that must not happen, however things break. */
export interface Violation {
	readonly kind: 'silent loss' | 'duplicate' | 'inversion' | 'ghost';
	/** True time, in milliseconds. */
	readonly at: number;
	readonly receiver: string;
	/** Undefined if no node published it. */
	readonly message: Published | undefined;
	/** What exactly is wrong, where the kind does not say it. */
	readonly detail?: string;
}

/** What one receiver got. */
export interface Deliveries {
	readonly messages: ReadonlySet<Published>;
	/** Deliveries that it must not have got. */
	readonly ghosts: readonly Violation[];
}
