import type { BeatStore, StoredBeat, StoredNode } from '@orijs/websocket';
import { ownChannelOf } from './keys.ts';
import type { ServerBeats } from './server-beats.ts';

/** Finds the servers on which beats are collected. */
export interface BeatServers {
	/** Returns the beats of the server that carries a heartbeat channel. @throws if no server does at the moment */
	beatsOf(heartbeatChannel: string): ServerBeats;
	/** Returns the heartbeat channel of the first shard; undefined if the bus is stopped. */
	firstChannel(): string | undefined;
	/** Returns the prefix of the names of channels on Redis. */
	channelPrefix(): string;
	/** Called when a command has failed. */
	failed(error: unknown): void;
}

/** Collects the beats of each shard on its server. */
export class RedisBeats implements BeatStore {
	readonly #servers: BeatServers;
	#text: string | undefined;

	constructor(servers: BeatServers) {
		this.#servers = servers;
	}

	ownChannel(heartbeatChannel: string, origin: number): string {
		return ownChannelOf(this.#servers.channelPrefix(), heartbeatChannel, origin);
	}

	beat(heartbeatChannel: string, beat: StoredBeat): Promise<void> {
		return this.#on(heartbeatChannel, (beats) => beats.beat(heartbeatChannel, beat, this.#text));
	}

	remove(heartbeatChannel: string, last: StoredBeat): Promise<void> {
		return this.#on(heartbeatChannel, (beats) => beats.remove(heartbeatChannel, last));
	}

	async list(): Promise<readonly StoredNode[]> {
		const channel = this.#servers.firstChannel();
		return channel === undefined ? [] : this.#on(channel, (beats) => beats.list(channel));
	}

	describe(text: string): void {
		this.#text = text;
	}

	async #on<T>(heartbeatChannel: string, act: (beats: ServerBeats) => Promise<T>): Promise<T> {
		try {
			return await act(this.#servers.beatsOf(heartbeatChannel));
		} catch (error) {
			this.#servers.failed(error);
			throw error;
		}
	}
}
