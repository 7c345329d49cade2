import { show } from '@orijs/websocket/internal';
import { type InferInput, mustHaveSchema, type SocketMessage } from '@orijs/websocket/protocol';
import { ApplicationError } from '../errors.ts';
import { checkOptions } from '../support/check-options.ts';
import type { GuardContext } from './guard-context.ts';
import type { MessageContext } from './message-context.ts';

/**
 * Decides whether a new connection is accepted, and fills its `ctx.state`. Only `true` accepts the connection; any
 * other value closes it with 4401. A thrown `SocketError` also closes it with 4401, and its code is the close reason;
 * any other error closes it with 1011.
 */
export type ConnectionGuard<TState extends object> = (ctx: GuardContext<TState>) => boolean | Promise<boolean>;

/** Decides whether a message is handled. Any value but `true` refuses it with `forbidden`. */
export type MessageGuard<TState extends object, TMessage extends SocketMessage = SocketMessage> = (
	ctx: MessageContext<TMessage, TState>,
) => boolean | Promise<boolean>;

/** The return value of a handler: the answer, if the message defines a `reply`. */
export type Reply<TMessage extends SocketMessage> = undefined extends TMessage['reply']
	? void
	: InferInput<Exclude<TMessage['reply'], undefined>>;

/**
 * Handles the messages with one name. Its return value answers the request. A thrown `SocketError` is sent to the
 * client. For a `BusUnavailableError`, the client receives `unavailable`. Any other error is logged, and the client
 * receives `internal`.
 */
export type MessageHandler<TMessage extends SocketMessage, TState extends object> = (
	ctx: MessageContext<TMessage, TState>,
) => Reply<TMessage> | Promise<Reply<TMessage>>;

/** A message with its handler and guards. */
export interface Route {
	readonly message: SocketMessage;
	readonly handler: (ctx: never) => unknown;
	readonly guards: readonly ((ctx: never) => unknown)[];
}

/**
 * Routes typed messages from clients to handlers, by message name. Guards and handlers must be added before the
 * application listens.
 *
 * @typeParam TState the state of a connection: filled by the guards, read by handlers as `ctx.state`
 */
export class SocketRouter<TState extends object = object> {
	readonly #guards: ConnectionGuard<TState>[] = [];
	readonly #routes = new Map<string, Route>();
	#isInUse = false;

	/**
	 * Adds a connection guard. Guards run once per connection, in the order added. Until all have passed, none of the
	 * client's messages is handled and nothing is sent to it.
	 *
	 * @throws {ApplicationError} the guard is not a function, or the application already listens
	 */
	guard(guard: ConnectionGuard<TState>): this {
		this.#mustBeBuilding('guard');
		if (typeof guard !== 'function')
			throw new ApplicationError(`guard(): guard must be a function, not ${show(guard)}`);
		this.#guards.push(guard);
		return this;
	}

	/**
	 * Sets the handler of a message. The data is validated first, then the message's guards run in order, then the
	 * handler. Its return value answers the request.
	 *
	 * @throws {ApplicationError} the message already has a handler, an argument is invalid, or the application already
	 * listens
	 * @throws {InvalidMessageDefinitionError} the message has no schema, so its data can't be checked
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
				`on(): message must come from SocketMessage.define({ name, data }), not ${show(message)}`,
			);
		}
		mustHaveSchema(message);
		if (this.#routes.has(name)) throw new ApplicationError(`on(): ${name} already has a handler`);
		if (typeof handler !== 'function') {
			throw new ApplicationError(`on(): the handler for ${name} must be a function, not ${show(handler)}`);
		}
		checkOptions(`on(): ${name}`, options, ['guards']);
		const { guards = [] } = options;
		if (!Array.isArray(guards) || guards.some((guard) => typeof guard !== 'function')) {
			throw new ApplicationError(`on(): guards of ${name} must be an array of functions, not ${show(guards)}`);
		}
		this.#routes.set(name, { message, handler, guards: [...guards] });
		return this;
	}

	#mustBeBuilding(call: string): void {
		if (this.#isInUse) throw new ApplicationError(`${call}() must come before the application listens`);
	}

	/** Makes the router immutable. Called when an application starts to listen with it. */
	use(): void {
		this.#isInUse = true;
	}

	/** The guards, in the order added. */
	get guards(): readonly ConnectionGuard<TState>[] {
		return this.#guards;
	}

	/** The routes by message name. */
	get routes(): ReadonlyMap<string, Route> {
		return this.#routes;
	}
}
