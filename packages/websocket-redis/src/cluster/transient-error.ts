/** Matches error replies of a cluster that is being reconfigured; the same command may succeed a moment later. */
const TRANSIENT = /^(MOVED|ASK|TRYAGAIN|CLUSTERDOWN|LOADING|MASTERDOWN)\b/;

export function isTransient(error: unknown): boolean {
	return error instanceof Error && TRANSIENT.test(error.message);
}
