import type { ChainableCommander } from 'ioredis';
import type { PubSubCommands } from './pub-sub-commands.ts';

/** PUBLISH commands that share one write. */
export class PublishBatch {
	readonly #commands: PubSubCommands;
	readonly #pipeline: ChainableCommander;
	readonly #waiting: PromiseWithResolvers<number>[] = [];

	constructor(commands: PubSubCommands, pipeline: ChainableCommander) {
		this.#commands = commands;
		this.#pipeline = pipeline;
	}

	/** Resolves with the number of subscribers the message went to. */
	add(channel: string, frame: Uint8Array): Promise<number> {
		this.#commands.publish(this.#pipeline, channel, Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength));
		const answer = Promise.withResolvers<number>();
		this.#waiting.push(answer);
		return answer.promise;
	}

	async send(): Promise<void> {
		try {
			const results = await this.#pipeline.exec();
			this.#waiting.forEach((answer, i) => {
				const [error, receivers] = results?.[i] ?? [new Error('no answer'), undefined];
				if (error === null) answer.resolve(Number(receivers));
				else answer.reject(error);
			});
		} catch (error) {
			for (const answer of this.#waiting) answer.reject(error);
		}
	}
}
