import { Command, type Redis } from 'ioredis';
import { RedisConnectionLostError } from '../errors.ts';
import { endpointOf } from './client-options.ts';

/** Where ioredis is to write what is written already. */
const NOWHERE = { write: () => true } as unknown as NonNullable<Parameters<Redis['sendCommand']>[1]>;

const CR = 0x0d;
const LF = 0x0a;
/** Answers that were given are forgotten when there are so many. */
const MOST_GIVEN = 1_024;

type Answer = PromiseWithResolvers<number>;

/**
 * All publishing on one connection. To ioredis it is a single command that is sent again and again, once for each message, so that
 * each gets its answer: a connection's answers come in the order of its commands. An object per message, as ioredis and its pipelines
 * have it, costs several times as much. What is published in one synchronous stretch shares one write. ioredis's own tracing and its
 * `commandTimeout` know nothing of these messages.
 */
export class PublishCommand extends Command {
	readonly #client: Redis;
	readonly #begin: string;
	/** What comes before each frame that is not written yet. */
	#heads: string[] = [];
	#frames: Uint8Array[] = [];
	#waiting: Answer[] = [];
	#bytes = 0;
	/** The messages that are being sent, until ioredis writes them. */
	#unwritten: Buffer | undefined;
	/** Of what was sent, in that order. */
	readonly #answers: Answer[] = [];
	/** How many of them were given. */
	#given = 0;

	constructor(client: Redis, name: 'publish' | 'spublish') {
		super(name);
		this.#client = client;
		this.#begin = `*3\r\n$${name.length}\r\n${name}\r\n$`;
		this.isTraced = true;
		fix(this, 'resolve', (receivers: unknown) => this.#nextAnswer()?.resolve(Number(receivers)));
		fix(this, 'reject', (error: Error) => this.#nextAnswer()?.reject(error));
	}

	/** Resolves with the number of subscribers the message went to. `channel` is ASCII. */
	publish(channel: string, frame: Uint8Array): Promise<number> {
		if (this.#frames.length === 0) queueMicrotask(this.#send);
		const head = `${this.#begin}${channel.length}\r\n${channel}\r\n$${frame.length}\r\n`;
		this.#heads.push(head);
		this.#frames.push(frame);
		this.#bytes += head.length + frame.length + 2;
		const answer = Promise.withResolvers<number>();
		this.#waiting.push(answer);
		return answer.promise;
	}

	readonly #send = (): void => {
		const waiting = this.#waiting;
		let sent = 0;
		let isSending = false;
		try {
			const bytes = this.#takeBytes();
			const { status, stream } = this.#client;
			// ioredis would reject a command then, and by the order that is the oldest message without an answer, not one of these.
			if (status !== 'ready' || !stream?.writable) throw new RedisConnectionLostError(endpointOf(this.#client));
			this.#unwritten = bytes;
			isSending = true;
			// All of it is written with the first one.
			for (; sent < waiting.length; sent++) {
				this.#answers.push(waiting[sent] as Answer);
				void this.#client.sendCommand(this, sent === 0 ? undefined : NOWHERE);
			}
		} catch (error) {
			for (const { reject } of waiting.slice(sent)) reject(error);
			if (!isSending) return;
			// What Redis got of it is not known: a new connection begins with no answers to wait for.
			this.#answers.pop();
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

	#nextAnswer(): Answer | undefined {
		const answer = this.#answers[this.#given];
		if (answer === undefined) return undefined;
		this.#given++;
		if (this.#given === this.#answers.length || this.#given >= MOST_GIVEN) {
			this.#answers.splice(0, this.#given);
			this.#given = 0;
		}
		return answer;
	}

	/** Messages wait for as long as their connection lives. Heartbeats find out about one that hangs, for all that is on it. */
	override setTimeout(): void {}

	/** The client may be of another release of ioredis, whose commands have this or have it not. */
	override setReplyContext(): void {}
}

/** Tools that watch ioredis put theirs in the place of these with each message that is sent; one command for all would gather them. */
function fix(command: Command, name: 'resolve' | 'reject', value: (argument: never) => void): void {
	Object.defineProperty(command, name, { get: () => value, set() {} });
}
