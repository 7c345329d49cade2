/** A server that is measured. It runs in its own process; over Redis, several processes form one system. */
export interface Subject {
	readonly port: number;
	/** The path to which clients connect. They append the topics to subscribe to, as in `?topics=t0,t1`. */
	readonly path: string;
	/** A text frame that every client must send first. */
	readonly hello?: string;
	/** Whether clients offer permessage-deflate. */
	readonly compresses?: boolean;
	/** Whether every second client is plain, instead of speaking this system's protocol. */
	readonly hasBothKinds?: boolean;
	/** Returns how many clients are subscribed to all their topics, so that messages from any node reach them. */
	readyClients(): number;
	/** Publishes to every subscriber on every node. If this returns a promise, it need not be awaited. */
	publish(topic: string, payload: string): unknown;
	/**
	 * Subscribes a client. Clients are numbered in the order in which they connect. Resolves once messages from every
	 * node reach the client.
	 */
	subscribe(client: number, topic: string): unknown;
	unsubscribe(client: number, topic: string): unknown;
	/** Who is in which topic; only of subjects that keep that. */
	readonly presence?: SubjectPresence;
}

export interface SubjectPresence {
	/** Subscribes a client, and shows that it is there. May resolve before that is stored. */
	join(client: number, topic: string): unknown;
	leave(client: number, topic: string): unknown;
	/** Sends a client what changes in a topic. */
	watch(client: number, topic: string): unknown;
	/** Resolves with the number of those who are in a topic, as the backend knows it. */
	count(topic: string): Promise<number>;
}

export interface SubjectSettings {
	/** The port of the Redis that connects the nodes. Without it, the process runs alone. */
	readonly redisPort?: number;
	/** Whether this system compresses every message for clients that offer it. */
	readonly compresses?: boolean;
	/** Whether every second client of this system is plain. */
	readonly hasBothKinds?: boolean;
	/** Whether the backend also keeps the users of each topic; only for `presence-by-expiry.ts`. */
	readonly mapsUsers?: boolean;
	/** Called with each payload from another node when it is handed to the runtime's `publish`. */
	readonly onHandOff?: (payload: string) => void;
}

export type StartSubject = (settings: SubjectSettings) => Subject | Promise<Subject>;
