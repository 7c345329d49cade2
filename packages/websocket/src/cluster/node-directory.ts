import type { NodeInfo, NodesChange } from './cluster-contract.ts';

/** What is known of the nodes. */
export interface NodeDirectory {
	/** Returns the nodes that are known to run, this one first. */
	list(): readonly NodeInfo[];
	/** Returns the ids of nodes that have fallen silent without stopping. */
	silent(): readonly string[];
	/** Returns a function that removes the listener, which must not throw. */
	onChange(listener: (change: NodesChange) => void): () => void;
}
