import { Command, type Redis } from 'ioredis';

/** Where ioredis is to write what is written already. */
const NOWHERE = { write: () => true } as unknown as NonNullable<Parameters<Redis['sendCommand']>[1]>;

/**
 * PUBLISH commands that share one write. To ioredis it is a single command that is sent once for each message, so that each gets its
 * answer; an object per message, as in its pipelines, costs several times as much.
 */
export class PublishBatch extends Command {
	readonly #head: string;
	readonly #channels: string[] = [];
	readonly #frames: Uint8Array[] = [];
	readonly #answers: PromiseWithResolvers<number>[] = [];
	#isWritten = false;
	#answered = 0;

	constructor(name: 'publish' | 'spublish') {
		super(name);
		this.#head = `*3\r\n$${name.length}\r\n${name}\r\n$`;
		// Tracing is by the message, with a closure for each.
		this.isTraced = true;
		this.resolve = (receivers: unknown) => this.#answers[this.#answered++]?.resolve(Number(receivers));
		this.reject = (error) => this.#answers[this.#answered++]?.reject(error);
	}

	/** Resolves with the number of subscribers the message went to. */
	add(channel: string, frame: Uint8Array): Promise<number> {
		this.#channels.push(channel);
		this.#frames.push(frame);
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
		return this.#encode();
	}

	#encode(): Buffer {
		const prefixes = this.#channels.map((channel, i) => {
			return `${this.#head}${channel.length}\r\n${channel}\r\n$${this.#frames[i]?.length}\r\n`;
		});
		const size = this.#frames.reduce((sum, frame, i) => sum + frame.length + (prefixes[i]?.length ?? 0) + 2, 0);
		const buffer = Buffer.allocUnsafe(size);
		let at = 0;
		this.#frames.forEach((frame, i) => {
			at += buffer.write(prefixes[i] as string, at, 'latin1');
			buffer.set(frame, at);
			at += frame.length;
			buffer[at++] = 0x0d;
			buffer[at++] = 0x0a;
		});
		return buffer;
	}

	/** A batch waits for as long as its connection lives. Heartbeats find out about one that hangs, for all that is on it. */
	override setTimeout(): void {}
}
