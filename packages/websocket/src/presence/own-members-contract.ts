/** A member of this node in a topic, as its own sockets say. */
export interface OwnMember {
	readonly key: string;
	readonly userId: string | undefined;
	/** The number of its sockets on this node that are in the topic; 0 while the member lingers. */
	readonly connections: number;
	/** JSON. */
	readonly info: string | undefined;
	/** Since when it has been in the topic on this node, by the monotonic clock. */
	readonly sinceAt: number;
}

/** The seam between what this node's sockets say and what is known of all nodes. */
export interface OwnMembersView {
	/** Returns this node's members of a topic, lingering ones included. */
	of(topic: string): Iterable<OwnMember>;
	get(topic: string, key: string): OwnMember | undefined;
	/** Resolves once what has changed here until now is stored, or can't be at the moment. */
	settled(topic: string): Promise<void>;
}
