/** Matches error replies of a server that supports a command, but can't run it at the moment. */
const PASSING = /^(OOM|NOREPLICAS|MISCONF|READONLY|BUSY|LOADING|MASTERDOWN|MOVED|ASK|TRYAGAIN|CLUSTERDOWN)\b/;

/** Returns whether a refusal says nothing about what the server supports, or what its user may do. */
export function isPassing({ message }: Error): boolean {
	return PASSING.test(message);
}
