/** Replies of a cluster that is reconfiguring: a moment later the same command may succeed. */
const TRANSIENT = /^(MOVED|ASK|TRYAGAIN|CLUSTERDOWN|LOADING|MASTERDOWN)\b/;

export function isTransient(error: unknown): boolean {
	return error instanceof Error && TRANSIENT.test(error.message);
}
