import { Command, type Redis } from 'ioredis';

/** Where ioredis is to write what is written already. */
const NOWHERE = { write: () => true } as unknown as NonNullable<Parameters<Redis['sendCommand']>[1]>;

const CR = 0x0d;
const LF = 0x0a;

/**
 * PUBLISH commands that share one write. To ioredis it is a single command that is sent once for each message, so that each gets its
 * answer; an object per message, as in its pipelines, costs several times as much.
 */
export class PublishBatch extends Command {
	readonly #begin: string;
	/** What comes before each frame. */
	readonly #heads: string[] = [];
	readonly #frames: Uint8Array[] = [];
	readonly #answers: PromiseWithResolvers<number>[] = [];
	#bytes = 0;
	#isWritten = false;
	#answered = 0;

	constructor(name: 'publish' | 'spublish') {
		super(name);
		this.#begin = `*3\r\n$${name.length}\r\n${name}\r\n$`;
		// Tracing is by the message, with a closure for each.
		this.isTraced = true;
		this.resolve = (receivers: unknown) => this.#answers[this.#answered++]?.resolve(Number(receivers));
		this.reject = (error) => this.#answers[this.#answered++]?.reject(error);
	}

	/** Resolves with the number of subscribers the message went to. `channel` is ASCII. */
	add(channel: string, frame: Uint8Array): Promise<number> {
		const head = `${this.#begin}${channel.length}\r\n${channel}\r\n$${frame.length}\r\n`;
		this.#heads.push(head);
		this.#frames.push(frame);
		this.#bytes += head.length + frame.length + 2;
		const answer = Promise.withResolvers<number>();
		this.#answers.push(answer);
		return answer.promise;
	}

	/** All of it is written with the first command; where that can't be, each is rejected. */
	send(client: Redis): void {
		void client.sendCommand(this);
		for (let sent = 1; sent < this.#frames.length; sent++) void client.sendCommand(this, NOWHERE);
	}

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

	/** A batch waits for as long as its connection lives. Heartbeats find out about one that hangs, for all that is on it. */
	override setTimeout(): void {}
}
