/** A server that is measured. One process each; with a Redis, several processes of a subject are nodes of one system. */
export interface Subject {
	readonly port: number;
	/** Where a WebSocket client connects; it adds the topics it wants to be in: `?topics=t0,t1`. */
	readonly path: string;
	/** A text frame that a client has to send first. */
	readonly hello?: string;
	/** How many clients are in all their topics by now, so that what any node publishes reaches them. */
	readyClients(): number;
	/** To every client in the topic, on every node. A promise that is returned needs no await. */
	publish(topic: string, payload: string): unknown;
	/** Puts a client, numbered in the order of arrival, into a topic; resolves when that is true on every node. */
	join(client: number, topic: string): unknown;
	leave(client: number, topic: string): unknown;
}

export interface SubjectSettings {
	/** A node of several, over this Redis; without it, the process is all there is. */
	readonly redisPort?: number;
	/** Called with each payload from another node as it is handed to the runtime's own publish. */
	readonly onHandOff?: (payload: string) => void;
}

export type StartSubject = (settings: SubjectSettings) => Subject | Promise<Subject>;
