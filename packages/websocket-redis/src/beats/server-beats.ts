import type { BusHandlers, StoredBeat, StoredNode } from '@orijs/websocket';
import { DIGEST_ENTRY_BYTES, toError, within } from '@orijs/websocket/internal';
import { BeatsRefusedError, RedisConnectionLostError } from '../errors.ts';
import { endpointOf, isRefusal, mustBeReady } from '../server/client-options.ts';
import type { PrimaryCheck } from '../server/primary-check.ts';
import type { PublishCommand } from '../server/publish-command.ts';
import type { PubSubCommands } from '../server/pub-sub-commands.ts';
import type { RedisScript } from '../server/redis-script.ts';
import type { ServerConnection } from '../server/server-connection.ts';
import { beatScripts, listScript } from './beat-scripts.ts';
import { beatKeys, ownChannelOf, probeKeys } from './keys.ts';

export interface ServerBeatsOptions {
	readonly publisher: ServerConnection;
	readonly publish: PublishCommand;
	readonly commands: PubSubCommands;
	readonly keyPrefix: string;
	readonly channelPrefix: string;
	readonly primaryCheck: PrimaryCheck;
	readonly handlers: Pick<BusHandlers, 'error'>;
	/** See {@link RedisServerOptions.onTopology}. */
	readonly onTopology: ((name: string, at: number) => void) | undefined;
	/** Aborted when the server is closed. */
	readonly ending: AbortSignal;
}

/** Matches refusals that publishing would meet as well. */
const AS_PUBLISH = /^(READONLY|MOVED|CLUSTERDOWN|LOADING|MASTERDOWN|BUSY|NOAUTH)\b/;
/** Matches refusals of writes for a time, in which publishing still works. */
const FOR_A_TIME = /^(OOM|MISCONF|NOREPLICAS|ASK|TRYAGAIN)\b/;
/** After which time scripts are tried again, in milliseconds, if they were refused for a time. */
const RETRY_MS = 2_000;
/** The same, if the server does not support them, or the user may not use them. */
const RETRY_UNSUPPORTED_MS = 60_000;

/** How long the scripts may take when they are tried, in milliseconds. */
const PROBE_MS = 2_000;

const ORIGIN_BYTES = 7;

/**
 * Collects beats on one server, by scripts. If the server refuses them, beats are published without them, and the
 * scripts are tried again from time to time.
 */
export class ServerBeats {
	readonly #options: ServerBeatsOptions;
	#isRefused = false;
	/** The refusal that was last reported. */
	#reported: string | undefined;
	#retry: ReturnType<typeof setTimeout> | undefined;
	/** What the server has stored of what this node says of itself. */
	#storedText: string | undefined;

	constructor(options: ServerBeatsOptions) {
		this.#options = options;
		options.ending.addEventListener('abort', () => clearTimeout(this.#retry));
	}

	/** Whether the server collects beats, as far as is known. */
	get areCollected(): boolean {
		return !this.#isRefused;
	}

	/** See {@link BeatStore.beat}. @param text what this node says of itself */
	async beat(heartbeatChannel: string, beat: StoredBeat, text: string | undefined): Promise<void> {
		const { keyPrefix, channelPrefix, primaryCheck, onTopology } = this.#options;
		const keys = beatKeys(keyPrefix, heartbeatChannel);
		const sharedText = text === this.#storedText ? undefined : text;
		const args = this.#args(channelPrefix + heartbeatChannel, beat);
		args.push(beat.digestEveryMs, beat.silentAfterMs, beat.forgetAfterMs);
		if (sharedText !== undefined) args.push(sharedText);
		const { beat: script } = beatScripts[this.#options.commands.publish];
		const sentAt = performance.now();
		const reply = await this.#runOrPublish(script, heartbeatChannel, keys, args, beat);
		if (reply === undefined) return;
		const [isNew, ageMs, role, replicas, lagMs, runId, topologyAgeMs, topology] = reply as BeatReply;
		if (sharedText !== undefined) this.#storedText = sharedText;
		else if (isNew === 1) this.#storedText = undefined;
		// The server asked INFO at least `ageMs` before it took the beat.
		const isReplica = role === 0 ? undefined : role === 2;
		primaryCheck.learned({ isReplica, replicas, lagMs, runId: runId.toString('latin1') || undefined }, sentAt - ageMs);
		if (topology.length > 0) onTopology?.(topology.toString('latin1'), sentAt - topologyAgeMs);
	}

	/** See {@link BeatStore.remove}. */
	async remove(heartbeatChannel: string, last: StoredBeat): Promise<void> {
		const { keyPrefix, channelPrefix, commands } = this.#options;
		const keys = beatKeys(keyPrefix, heartbeatChannel);
		const args = this.#args(channelPrefix + heartbeatChannel, last);
		await this.#runOrPublish(beatScripts[commands.publish].remove, heartbeatChannel, keys, args, last);
	}

	/** See {@link BeatStore.list}. */
	async list(heartbeatChannel: string): Promise<readonly StoredNode[]> {
		const reply = await this.#run(listScript, beatKeys(this.#options.keyPrefix, heartbeatChannel), []);
		const fields = reply as readonly (Buffer | number)[];
		const nodes: StoredNode[] = [];
		for (let i = 0; i < fields.length; i += 3) {
			const [origin, text, ageMs] = fields.slice(i, i + 3) as [Buffer, Buffer, number];
			nodes.push({ origin: readOrigin(origin), text: text.toString(), ageMs });
		}
		return nodes;
	}

	/**
	 * Tries all scripts, with their own keys and their own channel. If the server refuses them, beats are not collected
	 * from then on. Never rejects.
	 */
	async probe(heartbeatChannel: string): Promise<void> {
		const { publisher } = this.#options;
		const late = (): Error => new RedisConnectionLostError(endpointOf(publisher.client));
		try {
			await within(PROBE_MS, this.#tryScripts(heartbeatChannel), late);
			this.#isRefused = false;
			this.#reported = undefined;
		} catch (error) {
			if (!isRefusal(error)) {
				if (this.#isRefused) this.#retryAfter(RETRY_MS, heartbeatChannel);
			} else if (AS_PUBLISH.test(error.message)) {
				// The server may no longer carry the channel. Where it does, the next beat shows more.
				this.#isRefused = false;
			} else {
				this.#refused(heartbeatChannel, error);
			}
		}
	}

	async #tryScripts(heartbeatChannel: string): Promise<void> {
		const { keyPrefix, channelPrefix, commands } = this.#options;
		const { beat, remove } = beatScripts[commands.publish];
		const keys = probeKeys(keyPrefix, heartbeatChannel);
		const channel = ownChannelOf(channelPrefix, heartbeatChannel, 'probe');
		const frame = new Uint8Array(DIGEST_ENTRY_BYTES);
		const probe = { channel, frame, entry: frame, digestHeader: frame, isCollected: true, run: 1 };
		const args = this.#args(channelPrefix + channel, probe);
		// If this succeeds, it can also remove what a part of the others has left.
		await this.#run(remove, keys, args);
		try {
			await this.#run(beat, keys, [...args, 0, 1, 1, 'probe']);
			await this.#run(listScript, keys, []);
		} finally {
			await this.#run(remove, keys, args);
		}
	}

	#args(
		sharedChannel: string,
		{ channel, frame, entry, digestHeader, isCollected, run }: ScriptedBeat,
	): (string | number | Buffer)[] {
		const name = this.#options.channelPrefix + channel;
		return [name, bufferOf(frame), bufferOf(entry), bufferOf(digestHeader), sharedChannel, isCollected ? 1 : 0, run];
	}

	/**
	 * Runs a script. If the server refuses to, publishes a frame of the heartbeat channel without it, and resolves with
	 * undefined. A frame of a node's own channel is not published: only the script tells the others of it, and the node
	 * now publishes its next beat, with the same number, to the heartbeat channel.
	 */
	async #runOrPublish(
		script: RedisScript,
		heartbeatChannel: string,
		keys: readonly string[],
		args: readonly (string | number | Buffer)[],
		{ channel, frame }: StoredBeat,
	): Promise<unknown> {
		const { publish, channelPrefix, primaryCheck } = this.#options;
		try {
			return await this.#run(script, keys, args);
		} catch (error) {
			if (!isRefusal(error)) throw error;
			if (error.message.startsWith('READONLY')) primaryCheck.leaveReplica();
			if (AS_PUBLISH.test(error.message)) throw error;
			this.#refused(heartbeatChannel, error);
			if (channel !== heartbeatChannel) throw error;
		}
		await publish.publish(channelPrefix + channel, frame);
		return undefined;
	}

	async #run(
		script: RedisScript,
		keys: readonly string[],
		args: readonly (string | number | Buffer)[],
	): Promise<unknown> {
		const { publisher, publish } = this.#options;
		mustBeReady(publisher.client);
		// What was published before must be sent before.
		publish.flush();
		return script.run(publisher.client, keys, args);
	}

	#refused(heartbeatChannel: string, cause: Error): void {
		const { publisher, handlers, ending } = this.#options;
		if (ending.aborted) return;
		this.#isRefused = true;
		this.#storedText = undefined;
		this.#retryAfter(FOR_A_TIME.test(cause.message) ? RETRY_MS : RETRY_UNSUPPORTED_MS, heartbeatChannel);
		const code = cause.message.split(' ', 1)[0];
		if (this.#reported === code) return;
		this.#reported = code;
		handlers.error(new BeatsRefusedError(endpointOf(publisher.client), { cause: toError(cause) }), 'publish');
	}

	#retryAfter(ms: number, heartbeatChannel: string): void {
		clearTimeout(this.#retry);
		if (!this.#options.ending.aborted) this.#retry = setTimeout(() => void this.probe(heartbeatChannel), ms);
	}
}

/** What both scripts take of a beat. */
type ScriptedBeat = Pick<StoredBeat, 'channel' | 'frame' | 'entry' | 'digestHeader' | 'isCollected' | 'run'>;

type BeatReply = readonly [
	isNew: number,
	ageMs: number,
	role: number,
	replicas: number,
	lagMs: number,
	runId: Buffer,
	topologyAgeMs: number,
	topology: Buffer,
];

function bufferOf(bytes: Uint8Array): Buffer {
	return bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function readOrigin(bytes: Buffer): number {
	return bytes.readUInt8(0) * 2 ** 48 + bytes.readUIntBE(1, ORIGIN_BYTES - 1);
}
