import { type Envelope, mustBeDefinition, type SocketMessage } from '@orijs/websocket/protocol';
import type { Failures } from '../failures.ts';
import type { MessageListener } from '../message-listener.ts';
import type { Listeners } from '../support/listeners.ts';

/** The listeners for messages, whatever their topic. */
export class IncomingMessages {
	readonly #failures: Failures;
	/** By message name. */
	readonly #byName = new Map<string, Listeners<[never, Envelope<never>]>>();
	readonly any: Listeners<[Envelope]>;
	readonly raw: Listeners<[string | ArrayBuffer]>;

	constructor(failures: Failures) {
		this.#failures = failures;
		this.any = failures.listeners();
		this.raw = failures.listeners();
	}

	/** Adds a listener for one kind of message. Returns a function that removes it. */
	on<TMessage extends SocketMessage>(message: TMessage, listener: MessageListener<TMessage>): () => void {
		const { name } = mustBeDefinition(message);
		let listeners = this.#byName.get(name);
		if (!listeners) this.#byName.set(name, (listeners = this.#failures.listeners()));
		return listeners.add(listener);
	}

	/** Passes a message to the listeners of its kind, and then to those of all kinds. */
	call(envelope: Envelope): void {
		this.#byName.get(envelope.name)?.call(envelope.data as never, envelope as Envelope<never>);
		if (this.any.size > 0) this.any.call(envelope);
	}
}
