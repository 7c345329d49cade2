import { type Envelope, type InferOutput, mustBeDefinition, type SocketMessage } from '@orijs/websocket/protocol';
import type { Failures } from './failures.ts';
import type { Listeners } from './support/listeners.ts';

export type MessageListener<TMessage extends SocketMessage> = (
	data: InferOutput<TMessage['data']>,
	envelope: Envelope<InferOutput<TMessage['data']>>,
) => unknown;

/** The listeners for messages, by message name. */
export class MessageListeners {
	readonly #failures: Failures;
	readonly #byName = new Map<string, Listeners<[never, Envelope<never>]>>();
	/** Called with every message, after the listeners of its kind. */
	readonly any: Listeners<[Envelope]>;

	constructor(failures: Failures) {
		this.#failures = failures;
		this.any = failures.listeners();
	}

	/**
	 * Adds a listener. Returns a function that removes it.
	 *
	 * @throws {InvalidMessageDefinitionError} `message` is not a definition
	 * @throws {TypeError} `listener` is not a function
	 */
	add<TMessage extends SocketMessage>(message: TMessage, listener: MessageListener<TMessage>): () => void {
		const { name } = mustBeDefinition(message);
		let listeners = this.#byName.get(name);
		if (listeners === undefined) this.#byName.set(name, (listeners = this.#failures.listeners()));
		return listeners.add(listener);
	}

	call(envelope: Envelope): void {
		this.#byName.get(envelope.name)?.call(envelope.data as never, envelope as Envelope<never>);
		if (this.any.size > 0) this.any.call(envelope);
	}
}
