import type { InferInput, SocketMessage } from '@orijs/websocket/protocol';
import { ApplicationError } from '../errors.ts';
import { show } from '../support/show.ts';
import type { GuardContext } from './guard-context.ts';
import type { MessageContext } from './message-context.ts';

/**
 * Decides, once per connection, whether it may be used, and sets its `ctx.state`. Only `true` lets it in: anything else closes it with
 * 4401. A `SocketError` that it throws closes with 4401 as well, its code being the reason; anything else it throws, with 1011.
 */
export type ConnectionGuard<TState extends object> = (ctx: GuardContext<TState>) => boolean | Promise<boolean>;

/** Decides whether a message may be handled. Anything but `true` answers `forbidden`. */
export type MessageGuard<TState extends object, TMessage extends SocketMessage = SocketMessage> = (
	ctx: MessageContext<TMessage, TState>,
) => boolean | Promise<boolean>;

/** What a handler returns: the answer to the request, where the message has a `reply`. */
export type Reply<TMessage extends SocketMessage> = undefined extends TMessage['reply']
	? void
	: InferInput<Exclude<TMessage['reply'], undefined>>;

/** Handles one kind of message. */
export type MessageHandler<TMessage extends SocketMessage, TState extends object> = (
	ctx: MessageContext<TMessage, TState>,
) => Reply<TMessage> | Promise<Reply<TMessage>>;

/** One kind of message, and what happens to it. */
export interface Route {
	readonly message: SocketMessage;
	readonly handler: (ctx: never) => unknown;
	readonly guards: readonly ((ctx: never) => unknown)[];
}

/**
 * Handles what clients say, by kind of message.
 *
 * @typeParam TState what the guards find out about a connection and handlers read as `ctx.state`
 */
export class SocketRouter<TState extends object = object> {
	readonly #guards: ConnectionGuard<TState>[] = [];
	readonly #routes = new Map<string, Route>();
	#isInUse = false;

	/**
	 * Adds a guard. They run one after the other, once per connection, before anything else; until all have passed the connection
	 * receives and sends nothing.
	 */
	guard(guard: ConnectionGuard<TState>): this {
		this.#mustBeBuilding('guard');
		if (typeof guard !== 'function') throw new ApplicationError(`guard(): a guard is a function, not ${show(guard)}`);
		this.#guards.push(guard);
		return this;
	}

	/**
	 * Sets what happens to messages of one kind: their data is validated, then the guards are asked, then the handler is called. What it
	 * returns answers the request.
	 *
	 * @throws {ApplicationError} the kind has a handler already, or something is no message, handler or guard
	 */
	on<TMessage extends SocketMessage>(
		message: TMessage,
		handler: MessageHandler<TMessage, TState>,
		options: { readonly guards?: readonly MessageGuard<TState, TMessage>[] } = {},
	): this {
		this.#mustBeBuilding('on');
		const { name } = (message ?? {}) as Partial<SocketMessage>;
		if (typeof name !== 'string' || typeof message.data?.['~standard']?.validate !== 'function') {
			throw new ApplicationError(
				`on(): define messages with SocketMessage.define({ name, data }), not ${show(message)}`,
			);
		}
		if (this.#routes.has(name)) throw new ApplicationError(`on(): ${name} has a handler already`);
		if (typeof handler !== 'function') {
			throw new ApplicationError(`on(): the handler of ${name} is a function, not ${show(handler)}`);
		}
		const { guards = [] } = options;
		if (!Array.isArray(guards) || guards.some((guard) => typeof guard !== 'function')) {
			throw new ApplicationError(`on(): the guards of ${name} are a list of functions, not ${show(guards)}`);
		}
		this.#routes.set(name, { message, handler, guards: [...guards] });
		return this;
	}

	#mustBeBuilding(call: string): void {
		if (this.#isInUse) throw new ApplicationError(`${call}() must come before the application listens`);
	}

	/** From now on it stays as it is: an application listens with it. */
	use(): void {
		this.#isInUse = true;
	}

	/** The guards, in the order added. */
	get guards(): readonly ConnectionGuard<TState>[] {
		return this.#guards;
	}

	/** What happens to messages, by their names. */
	get routes(): ReadonlyMap<string, Route> {
		return this.#routes;
	}
}
