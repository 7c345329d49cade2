import { BusUnavailableError, type LogDetails } from '@orijs/websocket';
import { promiseOf } from '@orijs/websocket/internal';
import {
	type ClientMessage,
	encodeAnswer,
	encodeRefusal,
	type ErrorCode,
	MessageValidationError,
	SocketError,
	validateWith,
} from '@orijs/websocket/protocol';
import { TooManyTopicsError } from '../errors.ts';
import { isOwnSocketGone } from '../session/is-own-socket-gone.ts';
import type { Session } from '../session/session.ts';
import { FaultLog } from '../support/fault-log.ts';
import { MessageContext } from './message-context.ts';
import type { MessageEvents } from './message-events.ts';
import { runMiddleware } from './middleware.ts';
import { INTERNAL_ERROR, TIMED_OUT, tooManyTopics } from './refusal-texts.ts';
import type { Route } from './route.ts';
import type { ContextServices } from './socket-context.ts';

export interface RoutedMessagesServices extends ContextServices {
	readonly routes: ReadonlyMap<string, Route>;
	/** Undefined if there are no listeners. */
	readonly events: MessageEvents | undefined;
}

/**
 * Handles typed messages according to their routes: runs the middleware, validates the data, runs the guards, calls the
 * handler and sends the answer.
 */
export class RoutedMessages {
	readonly #services: RoutedMessagesServices;
	readonly #events: MessageEvents | undefined;
	readonly #faults: FaultLog;

	constructor(services: RoutedMessagesServices) {
		this.#services = services;
		this.#events = services.events;
		this.#faults = new FaultLog(services.logger);
	}

	/** Handles a message. Never throws. */
	handle(session: Session, message: ClientMessage, route: Route): void {
		const ctx = new MessageContext(this.#services, session, message);
		this.#events?.taken(ctx);
		if (route.middleware !== undefined) {
			session.inbound.begin(ctx);
			void this.#handleThrough(route.middleware, ctx, route, session);
			return;
		}
		let valid: unknown;
		try {
			valid = validateWith(route.message.name, route.message.data, message.data);
		} catch (error) {
			return this.#invalid(ctx, session, error);
		}
		if (valid instanceof Promise || route.guards.length > 0) {
			session.inbound.begin(ctx);
			void this.#handleLater(ctx, route, session, valid);
			return;
		}
		MessageContext.setData(ctx, valid);
		let reply: unknown;
		try {
			reply = route.handler(ctx as never);
		} catch (error) {
			return this.#failed(ctx, session, error);
		}
		const later = promiseOf(reply);
		if (later === undefined) return this.#answer(ctx, route, session, reply);
		session.inbound.begin(ctx);
		later.then(
			(value) => this.#answer(ctx, route, session, value),
			(error: unknown) => this.#failed(ctx, session, error),
		);
	}

	async #handleLater(ctx: MessageContext, route: Route, session: Session, data: unknown): Promise<void> {
		try {
			MessageContext.setData(ctx, await data);
		} catch (error) {
			return this.#invalid(ctx, session, error);
		}
		try {
			this.#answer(ctx, route, session, await this.#guardAndHandle(ctx, route, session));
		} catch (error) {
			this.#failed(ctx, session, error);
		}
	}

	async #handleThrough(
		middleware: NonNullable<Route['middleware']>,
		ctx: MessageContext,
		route: Route,
		session: Session,
	): Promise<void> {
		try {
			const answer = await runMiddleware({
				ctx,
				middleware,
				handle: () => this.#validateAndHandle(ctx, route, session),
				lost: (error) => this.#lost(ctx, error),
			});
			this.#answer(ctx, route, session, answer);
		} catch (error) {
			this.#failed(ctx, session, error);
		}
	}

	/** @throws {SocketError} the data is invalid, or as for {@link #guardAndHandle} */
	async #validateAndHandle(ctx: MessageContext, route: Route, session: Session): Promise<unknown> {
		mustBeRunning(ctx, session);
		try {
			MessageContext.setData(ctx, await validateWith(route.message.name, route.message.data, ctx.data));
		} catch (cause) {
			if (!(cause instanceof MessageValidationError)) throw cause;
			this.#services.refusals.add('data', { socketId: session.socketId, type: ctx.type });
			throw new SocketError('invalid_data', cause.message, { cause });
		}
		return this.#guardAndHandle(ctx, route, session);
	}

	/**
	 * Runs the guards, then the handler, and resolves with what that returned.
	 *
	 * @throws {SocketError} a guard has refused the message, or it has timed out meanwhile
	 */
	async #guardAndHandle(ctx: MessageContext, route: Route, session: Session): Promise<unknown> {
		for (const guard of route.guards) {
			const isAllowed: unknown = await guard(ctx as never);
			mustBeRunning(ctx, session);
			if (isAllowed === true) continue;
			this.#services.refusals.add('forbidden', { socketId: session.socketId, type: ctx.type });
			throw new SocketError('forbidden', `Not authorized to send ${ctx.type}`);
		}
		mustBeRunning(ctx, session);
		return route.handler(ctx as never);
	}

	/** Answers `timeout` to a message that has taken too long, unless it has already been answered. */
	timeOut(session: Session, ctx: MessageContext): void {
		this.#services.refusals.add('handlerTimeout', { socketId: session.socketId, type: this.#definedType(ctx) });
		if (MessageContext.settle(ctx)) session.send(encodeRefusal(ctx.type, ctx.correlationId, 'timeout', TIMED_OUT));
		this.#events?.done(ctx, session, 'failed', 'timeout');
	}

	// Each of the following methods ends the message's turn, if the message is the running one. None of them throws.

	/** Answers with the value the handler returned. */
	#answer(ctx: MessageContext, route: Route, session: Session, reply: unknown): void {
		if (ctx.correlationId === undefined) {
			this.#events?.done(ctx, session, 'handled');
			return session.inbound.finished(ctx);
		}
		const schema = route.message.reply;
		let valid: unknown;
		try {
			valid = schema === undefined ? null : validateWith(route.message.name, schema, reply, 'reply');
		} catch (error) {
			return this.#failed(ctx, session, error);
		}
		if (!(valid instanceof Promise)) return this.#answerInOrder(ctx, session, valid);
		if (!session.isBusy) session.inbound.begin(ctx);
		valid.then(
			(value) => this.#answerInOrder(ctx, session, value),
			(error: unknown) => this.#failed(ctx, session, error),
		);
	}

	/**
	 * Sends the answer after all messages that the handler sent earlier, even those whose schemas validate
	 * asynchronously.
	 */
	#answerInOrder(ctx: MessageContext, session: Session, value: unknown): void {
		const { order } = this.#services.requests;
		if (!order.isWaiting(session.socketId)) return this.#sendAnswer(ctx, session, value);
		if (!session.isBusy) session.inbound.begin(ctx);
		void order.run(session.socketId, value, () => this.#sendAnswer(ctx, session, value));
	}

	#sendAnswer(ctx: MessageContext, session: Session, value: unknown): void {
		let answer: string;
		try {
			answer = encodeAnswer(ctx.type, ctx.correlationId as string, value);
		} catch (error) {
			return this.#failed(ctx, session, error);
		}
		if (MessageContext.settle(ctx)) session.send(answer);
		this.#events?.done(ctx, session, 'handled');
		session.inbound.finished(ctx);
	}

	#refuse(ctx: MessageContext, session: Session, code: ErrorCode, message: string): void {
		this.#sendRefusal(ctx, session, code, message);
		this.#events?.done(ctx, session, 'refused', code);
		session.inbound.finished(ctx);
	}

	#refuseFailed(ctx: MessageContext, session: Session, code: ErrorCode, message: string, err: unknown): void {
		this.#sendRefusal(ctx, session, code, message);
		this.#events?.done(ctx, session, 'failed', code, err);
		session.inbound.finished(ctx);
	}

	#sendRefusal(ctx: MessageContext, session: Session, code: ErrorCode, message: string): void {
		if (MessageContext.settle(ctx)) session.send(encodeRefusal(ctx.type, ctx.correlationId, code, message));
	}

	/** Called when the data does not match its schema, or the schema itself failed. */
	#invalid(ctx: MessageContext, session: Session, error: unknown): void {
		if (!(error instanceof MessageValidationError)) return this.#failed(ctx, session, error);
		this.#services.refusals.add('data', { socketId: session.socketId, type: ctx.type });
		this.#refuse(ctx, session, 'invalid_data', error.message);
	}

	#failed(ctx: MessageContext, session: Session, err: unknown): void {
		try {
			if (err instanceof SocketError) return this.#refuse(ctx, session, err.code, err.message);
			if (err instanceof TooManyTopicsError)
				return this.#refuse(ctx, session, 'too_many_topics', tooManyTopics(err.limit));
			if (err instanceof BusUnavailableError) {
				return this.#refuseFailed(ctx, session, 'unavailable', err.hasHistory ? NOT_STORED : LOCAL_ONLY, err);
			}
			if (session.state !== 'open' && isOwnSocketGone(session.socketId, err)) {
				const what = 'The handler was cut short because the client disconnected';
				this.#faults.cutShort({ what, type: this.#definedType(ctx), err }, detailsOf(ctx));
				this.#events?.done(ctx, session, 'failed', 'disconnected', err);
				return session.inbound.finished(ctx);
			}
		} catch {
			// Anything can be thrown, including values that throw when inspected.
		}
		this.#logFailure(ctx, err);
		this.#refuseFailed(ctx, session, 'internal', INTERNAL_ERROR, err);
	}

	/** Called when the handler has failed, or misused `next()`, after middleware had answered in its place. */
	#lost(ctx: MessageContext, err: unknown): void {
		if (!(err instanceof SocketError)) this.#logFailure(ctx, err);
	}

	#logFailure(ctx: MessageContext, err: unknown): void {
		this.#faults.failed({ what: 'A message handler failed', type: this.#definedType(ctx), err }, detailsOf(ctx));
	}

	/** The type of a message, unless only its client has defined it. */
	#definedType({ type }: MessageContext): string | undefined {
		return this.#services.routes.has(type) ? type : undefined;
	}
}

/** @throws {SocketError} the message has timed out: another one is running, or none */
function mustBeRunning(ctx: MessageContext, session: Session): void {
	if (session.inbound.running !== ctx) throw new SocketError('timeout', TIMED_OUT);
}

const LOCAL_ONLY = 'Not delivered to other nodes: the backend is unavailable';
const NOT_STORED = 'Possibly not stored: the backend is unavailable; try again';

function detailsOf({ socketId, type, correlationId }: MessageContext): LogDetails {
	return { socketId, type, correlationId };
}
