import { show } from '@orijs/websocket/internal';
import { type InferInput, mustHaveSchema, type SocketMessage } from '@orijs/websocket/protocol';
import { ApplicationError } from '../errors.ts';
import { IS_HOT } from '../reloading/hot-state.ts';
import { checkOptions } from '../support/check-options.ts';
import type { AuthenticateContext, GuardContext } from './guard-context.ts';
import type { CloseHook, Hooks, OpenHook, SubscribeHook, UnsubscribeHook } from './hooks.ts';
import type { MessageContext } from './message-context.ts';
import type { MessageMiddleware } from './middleware.ts';
import type { Route } from './route.ts';
import { unknownRoute } from './unknown-messages.ts';

/**
 * Decides whether a new connection is accepted, and fills its `ctx.state`. Only `true` accepts the connection; any
 * other value closes it with 4401. A thrown `SocketError` also closes it with 4401, and its code is the close reason;
 * any other error closes it with 1011.
 */
export type ConnectionGuard<TState extends object> = (ctx: GuardContext<TState>) => boolean | Promise<boolean>;

/** Checks a client's credentials: a {@link ConnectionGuard} that has the data of the client's `@auth` as `ctx.auth`. */
export type Authenticate<TState extends object> = (ctx: AuthenticateContext<TState>) => boolean | Promise<boolean>;

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

/**
 * Handles the messages that no router has a handler for. `ctx.type` and `ctx.data` are as the client sent them; nothing
 * has validated them. The return value answers a request, and errors do what they do in any other handler.
 */
export type UnknownMessageHandler<TState extends object> = (ctx: MessageContext<SocketMessage, TState>) => any;

/** What a router adds to an application. */
export interface RouterParts {
	readonly authenticate: Authenticate<object> | undefined;
	readonly guards: readonly ConnectionGuard<object>[];
	readonly hooks: Hooks;
	readonly routes: readonly Route[];
	/** Handles messages that no router has a handler for. */
	readonly unknown: Route | undefined;
}

/** A router whose handlers are content with this state, which may have more than they read. */
export interface RouterOf<in TState extends object> {
	/** Exists for the compiler only. */
	readonly '~state': ((state: TState) => void) | undefined;
}

/** Whatever a router has been given to. */
export interface RouterOwner {
	/** Whether it no longer uses the router, which may then be given to another. */
	readonly isStopping: boolean;
}

/**
 * Routes typed messages from clients to handlers, by message name. Everything must be added before the application
 * listens. A router belongs to one endpoint until that stops.
 *
 * @typeParam TState the state of a connection: filled by the guards, read by handlers as `ctx.state`
 */
export class SocketRouter<TState extends object = object> implements RouterOf<TState> {
	/** Exists for the compiler only. */
	declare readonly '~state': ((state: TState) => void) | undefined;
	#authenticate: Authenticate<TState> | undefined;
	readonly #guards: ConnectionGuard<TState>[] = [];
	readonly #onOpen: OpenHook<TState>[] = [];
	readonly #onClose: CloseHook<TState>[] = [];
	readonly #onSubscribe: SubscribeHook<TState>[] = [];
	readonly #onUnsubscribe: UnsubscribeHook<TState>[] = [];
	readonly #middleware: MessageMiddleware<TState>[] = [];
	readonly #messageGuards: MessageGuard<TState>[] = [];
	readonly #routes = new Map<string, Omit<Route, 'middleware'>>();
	#unknown: UnknownMessageHandler<TState> | undefined;
	#owner: RouterOwner | undefined;
	#isInUse = false;

	/**
	 * Sets what checks the credentials of clients, once per endpoint. It waits for the client's first message: if that
	 * is `@auth`, its data is `ctx.auth`. It runs before all guards, of all routers, and says who the user is
	 * (`ctx.userId`), until when (`ctx.expiresAt`), and in which topics (`ctx.subscribe`). It runs again, with all
	 * guards, when the client renews its credentials by another `@auth`.
	 *
	 * @throws {ApplicationError} called twice, the argument is not a function, or the application already listens.
	 * `listen` rejects if two routers of an endpoint have it
	 */
	authenticate(authenticate: Authenticate<TState>): this {
		this.#mustBeBuilding('authenticate');
		mustBeFunction('authenticate(): the argument', authenticate);
		if (this.#authenticate !== undefined)
			throw new ApplicationError(
				'authenticate() was called twice; it checks the credentials once, use guard() as well',
			);
		this.#authenticate = authenticate;
		return this;
	}

	/**
	 * Adds a connection guard. Guards run in the order added: right after the upgrade, or, if a router of the endpoint
	 * has `authenticate`, after that. Until all have passed, no message of the client is handled, nothing is sent to it,
	 * and it is not counted. They run again when a client renews its credentials by another `@auth`: on a copy of the
	 * state, whose changes take effect together once all have passed.
	 *
	 * @throws {ApplicationError} the guard is not a function, or the application already listens
	 */
	guard(guard: ConnectionGuard<TState>): this {
		this.#mustBeBuilding('guard');
		mustBeFunction('guard(): guard', guard);
		this.#guards.push(guard);
		return this;
	}

	/**
	 * Adds a hook that runs when a connection has opened: its guards have passed, and it is in the topics to which they
	 * have subscribed it. A client that speaks the protocol becomes ready, and its messages are handled, once the hook
	 * has finished; at most `limits.guardTimeoutMs` later.
	 *
	 * The hooks of a connection (`onOpen`, `onSubscribe`, `onUnsubscribe`, `onClose`), of all routers, run in order,
	 * one at a time; `onOpen` is the first. A hook that fails is logged; one that takes longer than
	 * `limits.handlerTimeoutMs` is no longer awaited. Nothing else waits for them.
	 *
	 * @throws {ApplicationError} the hook is not a function, or the application already listens
	 */
	onOpen(hook: OpenHook<TState>): this {
		this.#mustBeBuilding('onOpen');
		mustBeFunction('onOpen(): hook', hook);
		this.#onOpen.push(hook);
		return this;
	}

	/**
	 * Adds a hook that runs when a connection whose guards had passed has ended, after `onUnsubscribe` for each of its
	 * topics. It is no longer in any topic, and nothing can be sent to it. See {@link onOpen}.
	 *
	 * @throws {ApplicationError} the hook is not a function, or the application already listens
	 */
	onClose(hook: CloseHook<TState>): this {
		this.#mustBeBuilding('onClose');
		mustBeFunction('onClose(): hook', hook);
		this.#onClose.push(hook);
		return this;
	}

	/**
	 * Adds a hook that runs when a connection is subscribed to a topic, once for each time, whether its client asked for
	 * it or the server chose it. The backend may not have confirmed it yet. See {@link onOpen}.
	 *
	 * @throws {ApplicationError} the hook is not a function, or the application already listens
	 */
	onSubscribe(hook: SubscribeHook<TState>): this {
		this.#mustBeBuilding('onSubscribe');
		mustBeFunction('onSubscribe(): hook', hook);
		this.#onSubscribe.push(hook);
		return this;
	}

	/**
	 * Adds a hook that runs when a connection is no longer in a topic, once for each time: its client has left, the
	 * server or the backend's refusal has unsubscribed it, or it has ended. See {@link onOpen}.
	 *
	 * @throws {ApplicationError} the hook is not a function, or the application already listens
	 */
	onUnsubscribe(hook: UnsubscribeHook<TState>): this {
		this.#mustBeBuilding('onUnsubscribe');
		mustBeFunction('onUnsubscribe(): hook', hook);
		this.#onUnsubscribe.push(hook);
		return this;
	}

	/**
	 * Sets the handler of a message. The data is validated first, then the guards of all messages (`guardMessages`) and
	 * those of this one run in order, then the handler. Its return value answers the request.
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
		mustBeFunction(`on(): the handler for ${name}`, handler);
		checkOptions(`on(): ${name}`, options, ['guards']);
		const { guards = [] } = options;
		if (!Array.isArray(guards) || guards.some((guard) => typeof guard !== 'function')) {
			throw new ApplicationError(`on(): guards of ${name} must be an array of functions, not ${show(guards)}`);
		}
		this.#routes.set(name, { message, handler, guards: [...guards] });
		return this;
	}

	/**
	 * Adds middleware, which runs around each message that this router handles, whether added before or after its
	 * handler: also around those that are then refused, because their data is invalid or by a guard. The first one added
	 * is the outermost. See {@link MessageMiddleware}. Messages of routers without middleware cost nothing more.
	 *
	 * @throws {ApplicationError} the middleware is not a function, or the application already listens
	 */
	use(middleware: MessageMiddleware<TState>): this {
		this.#mustBeBuilding('use');
		mustBeFunction('use(): middleware', middleware);
		this.#middleware.push(middleware);
		return this;
	}

	/**
	 * Adds a guard to all messages that this router handles, whether added before or after their handlers. It runs once
	 * the data is validated, in the order added, before the guards of the message itself.
	 *
	 * @throws {ApplicationError} the guard is not a function, or the application already listens
	 */
	guardMessages(guard: MessageGuard<TState>): this {
		this.#mustBeBuilding('guardMessages');
		mustBeFunction('guardMessages(): guard', guard);
		this.#messageGuards.push(guard);
		return this;
	}

	/**
	 * Sets the handler of messages that no router of the application has a handler for; without one, they are refused
	 * with `unknown_type`. This router's middleware and `guardMessages` apply to them. Types that begin with `@` belong
	 * to the protocol and are refused all the same.
	 *
	 * @throws {ApplicationError} called twice, the handler is not a function, or the application already listens.
	 * `listen` rejects if two routers have such a handler
	 */
	onUnknown(handler: UnknownMessageHandler<TState>): this {
		this.#mustBeBuilding('onUnknown');
		mustBeFunction('onUnknown(): handler', handler);
		if (this.#unknown !== undefined) throw new ApplicationError('onUnknown() was called twice; it sets one handler');
		this.#unknown = handler;
		return this;
	}

	#mustBeBuilding(call: string): void {
		if (this.#isInUse) throw new ApplicationError(`${call}() must come before the application listens`);
	}

	/**
	 * Internal: gives the router to an application or endpoint.
	 *
	 * @param call what the router was given to, for errors
	 * @throws {ApplicationError} it has been given to one that has not stopped
	 */
	static give(router: SocketRouter, owner: RouterOwner, call: string = 'socketRouter()'): void {
		const former = router.#owner;
		if (former === owner) throw new ApplicationError(`${call}: this router was added twice`);
		// Newer code may reuse the routers of a module that has not changed, before the earlier code has stopped.
		if (former?.isStopping === false && !IS_HOT) {
			throw new ApplicationError(
				`${call}: this router belongs to another endpoint; create one for each, as with a function that ` +
					'returns a new SocketRouter',
			);
		}
		router.#owner = owner;
	}

	/** Internal: makes the router immutable, and returns what it adds. Called when its application starts to listen. */
	static partsOf(router: SocketRouter): RouterParts {
		router.#isInUse = true;
		const middleware = router.#middleware.length > 0 ? router.#middleware : undefined;
		const guards = router.#messageGuards;
		return {
			authenticate: router.#authenticate,
			guards: router.#guards,
			hooks: {
				onOpen: router.#onOpen,
				onClose: router.#onClose,
				onSubscribe: router.#onSubscribe,
				onUnsubscribe: router.#onUnsubscribe,
			},
			routes: [...router.#routes.values()].map((route) => ({
				...route,
				guards: [...guards, ...route.guards],
				middleware,
			})),
			unknown: router.#unknown && { ...unknownRoute(router.#unknown), guards, middleware },
		};
	}
}

function mustBeFunction(what: string, value: unknown): void {
	if (typeof value !== 'function') throw new ApplicationError(`${what} must be a function, not ${show(value)}`);
}
