import { Command, type Redis } from 'ioredis';
import { RedisConnectionLostError } from '../errors.ts';
import { endpointOf } from './client-options.ts';

/** A stream that discards what ioredis writes, for messages whose bytes have already been written. */
const NO_STREAM = { write: () => true } as unknown as NonNullable<Parameters<Redis['sendCommand']>[1]>;

const CR = 0x0d;
const LF = 0x0a;
/** Settled replies are discarded once their number reaches this. */
const MAX_SETTLED = 1_024;

type Reply = PromiseWithResolvers<number>;

/**
 * Publishes all messages of a connection. For ioredis, this is a single command that is sent again for each message.
 * Each message gets its own reply, because the replies on a connection arrive in the order of its commands. This avoids
 * the object that ioredis and its pipelines create for each message, which would cost several times as much. Messages
 * published in one synchronous run of code share one write. ioredis's tracing and `commandTimeout` do not apply to
 * them.
 */
export class PublishCommand extends Command {
	readonly #client: Redis;
	readonly #begin: string;
	/** The RESP bytes that precede each frame that has not been written yet. */
	#heads: string[] = [];
	#frames: Uint8Array[] = [];
	#waiting: Reply[] = [];
	#bytes = 0;
	/** The bytes of the messages being sent, until ioredis writes them. */
	#unwritten: Buffer | undefined;
	/** The replies to the messages sent, in the same order. */
	readonly #replies: Reply[] = [];
	/** The number of these replies that have settled. */
	#settled = 0;

	constructor(client: Redis, name: 'publish' | 'spublish') {
		super(name);
		this.#client = client;
		this.#begin = `*3\r\n$${name.length}\r\n${name}\r\n$`;
		this.isTraced = true;
		fix(this, 'resolve', (receivers: unknown) => this.#nextReply()?.resolve(Number(receivers)));
		fix(this, 'reject', (error: Error) => this.#nextReply()?.reject(error));
	}

	/** Publishes a frame. Resolves with the number of subscribers that it was sent to. `redisChannel` is ASCII. */
	publish(redisChannel: string, frame: Uint8Array): Promise<number> {
		if (this.#frames.length === 0) queueMicrotask(this.#send);
		const head = `${this.#begin}${redisChannel.length}\r\n${redisChannel}\r\n$${frame.length}\r\n`;
		this.#heads.push(head);
		this.#frames.push(frame);
		this.#bytes += head.length + frame.length + 2;
		const reply = Promise.withResolvers<number>();
		this.#waiting.push(reply);
		return reply.promise;
	}

	/** Writes the messages that wait for the end of the synchronous run now, so that a command can follow them. */
	flush(): void {
		if (this.#frames.length > 0) this.#send();
	}

	readonly #send = (): void => {
		const waiting = this.#waiting;
		// They have been flushed.
		if (waiting.length === 0) return;
		let sent = 0;
		let isSending = false;
		try {
			const bytes = this.#takeBytes();
			const { status, stream } = this.#client;
			// Without this check, ioredis would reject the command, and the oldest pending message would get that
			// rejection.
			if (status !== 'ready' || !stream?.writable) throw new RedisConnectionLostError(endpointOf(this.#client));
			this.#unwritten = bytes;
			isSending = true;
			// The first call writes the bytes of all the messages.
			for (; sent < waiting.length; sent++) {
				this.#replies.push(waiting[sent] as Reply);
				void this.#client.sendCommand(this, sent === 0 ? undefined : NO_STREAM);
			}
		} catch (error) {
			for (const { reject } of waiting.slice(sent)) reject(error);
			if (!isSending) return;
			// It is unknown which messages Redis received, so drop the connection: a new one has no pending replies.
			this.#replies.pop();
			this.#client.stream.destroy();
		}
	};

	#takeBytes(): Buffer {
		const heads = this.#heads;
		const frames = this.#frames;
		const size = this.#bytes;
		this.#heads = [];
		this.#frames = [];
		this.#waiting = [];
		this.#bytes = 0;
		const buffer = Buffer.allocUnsafe(size);
		let at = 0;
		for (let i = 0; i < frames.length; i++) {
			const frame = frames[i] as Uint8Array;
			at += buffer.write(heads[i] as string, at, 'latin1');
			buffer.set(frame, at);
			at += frame.length;
			buffer[at++] = CR;
			buffer[at++] = LF;
		}
		return buffer;
	}

	override toWritable(): string | Buffer {
		const bytes = this.#unwritten ?? '';
		this.#unwritten = undefined;
		return bytes;
	}

	#nextReply(): Reply | undefined {
		const reply = this.#replies[this.#settled];
		if (reply === undefined) return undefined;
		this.#settled++;
		if (this.#settled === this.#replies.length || this.#settled >= MAX_SETTLED) {
			this.#replies.splice(0, this.#settled);
			this.#settled = 0;
		}
		return reply;
	}

	/**
	 * Sets no timeout: messages wait for as long as their connection is up. Heartbeats detect a connection that hangs.
	 */
	override setTimeout(): void {}

	/** Does nothing. Newer ioredis clients call this method, which the `Command` of an older release does not have. */
	override setReplyContext(): void {}
}

/**
 * Makes a method read-only. Instrumentation wraps these methods each time a command is sent. On this command, which is
 * sent again and again, the wrappers would pile up.
 */
function fix(command: Command, name: 'resolve' | 'reject', value: (argument: never) => void): void {
	Object.defineProperty(command, name, { get: () => value, set() {} });
}
