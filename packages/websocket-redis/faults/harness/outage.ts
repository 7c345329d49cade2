/**
 * When the fault began, and when the backend and the network were repaired, in milliseconds since the epoch by the
 * clock of the counting process.
 */
export interface Outage {
	readonly from: number;
	readonly back: number;
}
