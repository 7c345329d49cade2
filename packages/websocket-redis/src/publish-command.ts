import { Command, type Redis } from 'ioredis';

/** Where ioredis is to write what is written already. */
const NOWHERE = { write: () => true } as unknown as NonNullable<Parameters<Redis['sendCommand']>[1]>;

const CR = 0x0d;
const LF = 0x0a;
/** Answers that were given are forgotten when there are so many. */
const MOST_GIVEN = 1_024;

/**
 * All publishing on one connection. To ioredis it is a single command that is sent again and again, once for each message, so that
 * each gets its answer: a connection's answers come in the order of its commands. An object per message, as ioredis and its pipelines
 * have it, costs several times as much. What is published in one synchronous stretch shares one write.
 */
export class PublishCommand extends Command {
	readonly #client: Redis;
	readonly #begin: string;
	/** What comes before each frame that is not written yet. */
	#heads: string[] = [];
	#frames: Uint8Array[] = [];
	#bytes = 0;
	#isWritten = true;
	readonly #answers: PromiseWithResolvers<number>[] = [];
	/** How many of the answers were given. */
	#given = 0;

	constructor(client: Redis, name: 'publish' | 'spublish') {
		super(name);
		this.#client = client;
		this.#begin = `*3\r\n$${name.length}\r\n${name}\r\n$`;
		// Tracing is by the message, with a closure for each.
		this.isTraced = true;
		this.resolve = (receivers: unknown) => this.#nextAnswer()?.resolve(Number(receivers));
		this.reject = (error) => this.#nextAnswer()?.reject(error);
	}

	/** Resolves with the number of subscribers the message went to. `channel` is ASCII. */
	publish(channel: string, frame: Uint8Array): Promise<number> {
		if (this.#frames.length === 0) queueMicrotask(this.#send);
		const head = `${this.#begin}${channel.length}\r\n${channel}\r\n$${frame.length}\r\n`;
		this.#heads.push(head);
		this.#frames.push(frame);
		this.#bytes += head.length + frame.length + 2;
		const answer = Promise.withResolvers<number>();
		this.#answers.push(answer);
		return answer.promise;
	}

	/** All of it is written with the first command; where that can't be, each is rejected. */
	readonly #send = (): void => {
		const count = this.#frames.length;
		this.#isWritten = false;
		void this.#client.sendCommand(this);
		for (let sent = 1; sent < count; sent++) void this.#client.sendCommand(this, NOWHERE);
		this.#heads = [];
		this.#frames = [];
		this.#bytes = 0;
	};

	override toWritable(): string | Buffer {
		if (this.#isWritten) return '';
		this.#isWritten = true;
		const buffer = Buffer.allocUnsafe(this.#bytes);
		let at = 0;
		for (let i = 0; i < this.#frames.length; i++) {
			const frame = this.#frames[i] as Uint8Array;
			at += buffer.write(this.#heads[i] as string, at, 'latin1');
			buffer.set(frame, at);
			at += frame.length;
			buffer[at++] = CR;
			buffer[at++] = LF;
		}
		return buffer;
	}

	#nextAnswer(): PromiseWithResolvers<number> | undefined {
		const answer = this.#answers[this.#given++];
		if (this.#given === this.#answers.length || this.#given >= MOST_GIVEN) {
			this.#answers.splice(0, this.#given);
			this.#given = 0;
		}
		return answer;
	}

	/** Messages wait for as long as their connection lives. Heartbeats find out about one that hangs, for all that is on it. */
	override setTimeout(): void {}
}
