/** When the fault began, and when backend and network were repaired. `Date.now()` of the counting process. */
export interface Outage {
	readonly from: number;
	readonly back: number;
}
