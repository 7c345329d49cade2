import type { Redis } from 'ioredis';

/** Finds the servers on which presence is kept. Channels are without their prefix. */
export interface PresenceServers {
	/** Returns a client of the server that carries a channel. @throws if no server does at the moment */
	clientOf(channel: string): Redis;
	/** Returns the prefix of the names of channels on Redis. */
	channelPrefix(): string;
	/** Returns the heartbeat channel of each shard. */
	heartbeatChannels(): readonly string[];
	/** Called when a command has failed. */
	failed(error: unknown): void;
}
