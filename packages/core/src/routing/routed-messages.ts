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
import { isOwnSocketGone } from '../session/is-own-socket-gone.ts';
import type { Session } from '../session/session.ts';
import { FaultLog } from '../support/fault-log.ts';
import { type ContextServices, MessageContext } from './message-context.ts';
import { INTERNAL_ERROR, TIMED_OUT } from './refusal-texts.ts';
import type { Route } from './socket-router.ts';

/**
 * Handles typed messages according to their routes: validates the data, runs the guards, calls the handler and sends
 * the answer.
 */
export class RoutedMessages {
	readonly #services: ContextServices;
	readonly #faults: FaultLog;

	constructor(services: ContextServices) {
		this.#services = services;
		this.#faults = new FaultLog(services.logger);
	}

	/** Handles a message. Never throws. */
	handle(session: Session, message: ClientMessage, route: Route): void {
		const ctx = new MessageContext(this.#services, session, message);
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
			for (const guard of route.guards) {
				const isAllowed: unknown = await guard(ctx as never);
				// If another message is running, this one has timed out.
				if (session.inbound.running !== ctx) return;
				if (isAllowed === true) continue;
				this.#services.refusals.add('forbidden', { socketId: session.socketId, type: ctx.type });
				return this.#refuse(ctx, session, 'forbidden', `Not authorized to send ${ctx.type}`);
			}
			if (session.inbound.running === ctx) this.#answer(ctx, route, session, await route.handler(ctx as never));
		} catch (error) {
			this.#failed(ctx, session, error);
		}
	}

	/** Answers `timeout` to a message that has taken too long, unless it has already been answered. */
	timeOut(session: Session, ctx: MessageContext): void {
		this.#services.refusals.add('handlerTimeout', { socketId: session.socketId, type: ctx.type });
		if (!MessageContext.settle(ctx)) return;
		session.send(encodeRefusal(ctx.type, ctx.correlationId, 'timeout', TIMED_OUT));
	}

	// Each of the following methods ends the message's turn, if the message is the running one. None of them throws.

	/** Answers with the value the handler returned. */
	#answer(ctx: MessageContext, route: Route, session: Session, reply: unknown): void {
		if (ctx.correlationId === undefined) return session.inbound.finished(ctx);
		const schema = route.message.reply;
		let valid: unknown;
		try {
			valid = schema === undefined ? null : validateWith(route.message.name, schema, reply);
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
		session.inbound.finished(ctx);
	}

	#refuse(ctx: MessageContext, session: Session, code: ErrorCode, message: string): void {
		if (MessageContext.settle(ctx)) session.send(encodeRefusal(ctx.type, ctx.correlationId, code, message));
		session.inbound.finished(ctx);
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
			if (err instanceof BusUnavailableError) {
				return this.#refuse(ctx, session, 'unavailable', err.hasHistory ? NOT_STORED : LOCAL_ONLY);
			}
			if (session.state !== 'open' && isOwnSocketGone(session.socketId, err)) {
				const what = 'The handler was cut short because the client disconnected';
				this.#faults.cutShort({ what, type: ctx.type, err }, detailsOf(ctx));
				return session.inbound.finished(ctx);
			}
		} catch {
			// Anything can be thrown, including values that throw when inspected.
		}
		this.#faults.failed({ what: 'A message handler failed', type: ctx.type, err }, detailsOf(ctx));
		this.#refuse(ctx, session, 'internal', INTERNAL_ERROR);
	}
}

const LOCAL_ONLY = 'Not delivered to other nodes: the backend is unavailable';
const NOT_STORED = 'Possibly not stored: the backend is unavailable; try again';

function detailsOf({ socketId, type, correlationId }: MessageContext): LogDetails {
	return { socketId, type, correlationId };
}
