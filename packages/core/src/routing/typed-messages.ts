import { BusUnavailableError, UnknownSocketError } from '@orijs/websocket';
import {
	type ClientMessage,
	encodeAnswer,
	encodeRefusal,
	type ErrorCode,
	MessageValidationError,
	SocketError,
	SocketRequestError,
	validateWith,
} from '@orijs/websocket/protocol';
import { promiseOf } from '../support/promise-of.ts';
import type { Frame, Inbound, Session } from '../session/session.ts';
import { BuiltInMessages, type BuiltInServices } from './built-in-messages.ts';
import { MessageContext } from './message-context.ts';
import { MessageFault, readMessage } from './read-message.ts';
import { INTERNAL_ERROR, sendRefusal } from './send-refusal.ts';
import type { Route } from './socket-router.ts';
import { Asking } from './subscription-requests.ts';

export interface TypedMessagesOptions extends BuiltInServices {
	readonly routes: ReadonlyMap<string, Route>;
	/** Takes what is no message of the protocol; undefined where nothing does. */
	readonly raw: Inbound | undefined;
	/** A binary frame came and nothing takes it. */
	readonly onBinary: (session: Session) => void;
}

/** Reads, validates, routes and answers what clients say. */
export class TypedMessages implements Inbound {
	readonly #options: TypedMessagesOptions;
	readonly #builtIns: BuiltInMessages;

	constructor(options: TypedMessagesOptions) {
		this.#options = options;
		this.#builtIns = new BuiltInMessages(options);
	}

	read(session: Session, frame: Frame): ClientMessage | RawFrame | undefined {
		const { raw, limits, onBinary } = this.#options;
		if (typeof frame !== 'string') {
			if (raw !== undefined) return new RawFrame(frame);
			onBinary(session);
			return undefined;
		}
		const message = readMessage(frame, limits.messageDepth);
		if (message instanceof MessageFault) {
			if (message.isForeign && raw !== undefined) return new RawFrame(frame);
			this.#refuseFault(session, message);
			return undefined;
		}
		return BuiltInMessages.isOne(message.type) && this.#builtIns.atOnce(session, message) ? undefined : message;
	}

	#refuseFault(session: Session, { reason, type = '', correlationId }: MessageFault): void {
		this.#options.refusals.add('message', { socketId: session.socketId, reason });
		sendRefusal(session, { type, correlationId }, 'invalid_message', `That is no message: ${reason}`);
	}

	tooFast(session: Session, frame: Frame): boolean {
		this.#options.refusals.add('rate', { socketId: session.socketId });
		this.#refuseUnread(session, frame, 'rate_limited', 'Too many messages; this one was not handled');
		return false;
	}

	tooMany(session: Session, work: ClientMessage | RawFrame): void {
		const message = work instanceof RawFrame ? { type: '' } : work;
		this.#options.refusals.add('requests', { socketId: session.socketId });
		sendRefusal(session, message, 'too_many_requests', 'Too many messages wait; this one was not handled');
	}

	tooLate(session: Session, frame: Frame): void {
		const message = typeof frame === 'string' ? readMessage(frame, this.#options.limits.messageDepth) : undefined;
		if (message === undefined || message instanceof MessageFault) return;
		if (BuiltInMessages.isOne(message.type) && this.#builtIns.atOnce(session, message)) return;
		this.#options.refusals.count('stopping');
		sendRefusal(session, message, 'stopping', 'The server is stopping; this was not handled');
	}

	#refuseUnread(session: Session, frame: Frame, code: ErrorCode, text: string): void {
		const message = typeof frame === 'string' ? readMessage(frame, this.#options.limits.messageDepth) : undefined;
		sendRefusal(session, { type: message?.type ?? '', correlationId: message?.correlationId }, code, text);
	}

	run(session: Session, work: ClientMessage | RawFrame): void {
		if (work instanceof RawFrame) return this.#options.raw?.run(session, work.frame);
		const route = this.#options.routes.get(work.type);
		if (route !== undefined)
			return this.#handle(new MessageContext(this.#options, session, work), route, session, work.data);
		if (BuiltInMessages.isOne(work.type)) return this.#builtIns.inTurn(session, work);
		this.#options.refusals.add('unknownType', { socketId: session.socketId, type: work.type });
		sendRefusal(session, work, 'unknown_type', `Nothing handles ${work.type}`);
	}

	#handle(ctx: MessageContext, route: Route, session: Session, data: unknown): void {
		let valid: unknown;
		try {
			valid = validateWith(route.message.name, route.message.data, data);
		} catch (error) {
			return this.#invalid(ctx, session, error);
		}
		if (valid instanceof Promise || route.guards.length > 0) {
			session.begin(ctx);
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
		session.begin(ctx);
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
				const verdict: unknown = await guard(ctx as never);
				// It took too long, and the next message was begun.
				if (session.running !== ctx) return;
				if (verdict === true) continue;
				this.#options.refusals.add('forbidden', { socketId: session.socketId, type: ctx.type });
				return this.#refuse(ctx, session, 'forbidden', `You may not send ${ctx.type}`);
			}
			if (session.running === ctx) this.#answer(ctx, route, session, await route.handler(ctx as never));
		} catch (error) {
			this.#failed(ctx, session, error);
		}
	}

	// Each of these ends what was begun for a message, if anything was. None throws.

	/** Answers with what the handler returned. */
	#answer(ctx: MessageContext, route: Route, session: Session, reply: unknown): void {
		if (ctx.correlationId === undefined) return session.finished(ctx);
		const schema = route.message.reply;
		let valid: unknown;
		try {
			valid = schema === undefined ? null : validateWith(route.message.name, schema, reply);
		} catch (error) {
			return this.#failed(ctx, session, error);
		}
		if (!(valid instanceof Promise)) return this.#sendAnswer(ctx, session, valid);
		if (!session.isBusy) session.begin(ctx);
		valid.then(
			(value) => this.#sendAnswer(ctx, session, value),
			(error: unknown) => this.#failed(ctx, session, error),
		);
	}

	#sendAnswer(ctx: MessageContext, session: Session, value: unknown): void {
		let answer: string;
		try {
			answer = encodeAnswer(ctx.type, ctx.correlationId as string, value);
		} catch (error) {
			return this.#failed(ctx, session, error);
		}
		if (MessageContext.settle(ctx)) session.send(answer);
		session.finished(ctx);
	}

	#refuse(ctx: MessageContext, session: Session, code: ErrorCode, message: string): void {
		if (MessageContext.settle(ctx)) session.send(encodeRefusal(ctx.type, ctx.correlationId, code, message));
		session.finished(ctx);
	}

	/** The data does not fit its schema, or the schema itself failed. */
	#invalid(ctx: MessageContext, session: Session, error: unknown): void {
		if (!(error instanceof MessageValidationError)) return this.#failed(ctx, session, error);
		this.#options.refusals.add('data', { socketId: session.socketId, type: ctx.type });
		this.#refuse(ctx, session, 'invalid_data', error.message);
	}

	#failed(ctx: MessageContext, session: Session, err: unknown): void {
		try {
			if (err instanceof SocketError) return this.#refuse(ctx, session, err.code, err.message);
			if (err instanceof BusUnavailableError) {
				return this.#refuse(ctx, session, 'unavailable', err.hasHistory ? NOT_STORED : ONLY_HERE);
			}
			if (session.state === 'closed' && isBecauseItLeft(session, err)) {
				ctx.log.debug('The handler did not finish: its client had left', { err });
				return session.finished(ctx);
			}
		} catch {
			// Anything can be thrown, also what can't be looked at.
		}
		ctx.log.error('A message handler failed', { err });
		this.#refuse(ctx, session, 'internal', INTERNAL_ERROR);
	}

	giveUp(session: Session): void {
		const { running } = session;
		if (running instanceof Asking) return this.#builtIns.giveUp(session, running);
		if (!(running instanceof MessageContext)) return this.#options.raw?.giveUp(session);
		this.#options.refusals.add('handlerTimeout', { socketId: session.socketId, type: running.type });
		if (!MessageContext.settle(running)) return;
		session.send(encodeRefusal(running.type, running.correlationId, 'timeout', 'The server took too long'));
	}
}

const ONLY_HERE = 'Other nodes can not be reached; only this one got it';
const NOT_STORED = 'It could not be stored, or not for certain; try again';

/** Clients leave when they like: that a handler then can't go on with its own socket is no fault. */
function isBecauseItLeft({ socketId }: Session, err: unknown): boolean {
	const why = err instanceof SocketRequestError ? err.cause : err;
	return why instanceof UnknownSocketError && why.socketId === socketId;
}

/** What is no typed message, on its way to the application's own handler. */
class RawFrame {
	readonly frame: Frame;

	constructor(frame: Frame) {
		this.frame = frame;
	}
}
