/** A range of clock skews in milliseconds, with 0 in it. */
export interface Skews {
	readonly least: number;
	readonly most: number;
}
