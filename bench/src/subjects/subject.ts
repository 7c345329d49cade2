/** A measured server. Each runs in its own process; over Redis, several processes form one system. */
export interface Subject {
	readonly port: number;
	/** Where clients connect, with the topics they subscribe to: `?topics=t0,t1`. */
	readonly path: string;
	/** A text frame every client has to send first. */
	readonly hello?: string;
	/** How many clients are subscribed to all their topics, so that messages from any node reach them. */
	readyClients(): number;
	/** Publishes to every subscriber on every node. A returned promise doesn't need to be awaited. */
	publish(topic: string, payload: string): unknown;
	/** Subscribes a client, numbered in order of connection; resolves when messages from every node reach it. */
	subscribe(client: number, topic: string): unknown;
	unsubscribe(client: number, topic: string): unknown;
}

export interface SubjectSettings {
	/** The Redis that connects the nodes; without it, the process runs alone. */
	readonly redisPort?: number;
	/** Called with each payload from another node when it is handed to the runtime's publish. */
	readonly onHandOff?: (payload: string) => void;
}

export type StartSubject = (settings: SubjectSettings) => Subject | Promise<Subject>;
