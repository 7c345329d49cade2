import { BuiltIn, type ClientMessage, type ErrorCode } from '@orijs/websocket/protocol';
import type { Frame, MessageDispatcher, Session } from '../session/session.ts';
import { BuiltInMessages, type BuiltInServices } from './built-in-messages.ts';
import { MessageContext } from './message-context.ts';
import type { SentMessage } from './message-events.ts';
import { PendingAuthorization } from './pending-authorization.ts';
import { MessageFault, readMessage } from './read-message.ts';
import { RoutedMessages } from './routed-messages.ts';
import { sendRefusal } from './send-refusal.ts';
import type { Route } from './route.ts';

export interface TypedMessagesOptions extends BuiltInServices {
	readonly routes: ReadonlyMap<string, Route>;
	/** Handles messages that are not in `routes`; undefined if they are refused. */
	readonly unknown: Route | undefined;
	/** Whether messages that are not in `routes` go to `raw`. */
	readonly passesUnknown: boolean;
	/** Handles frames that are not typed messages; undefined if there is no `message` handler. */
	readonly raw: Pick<MessageDispatcher, 'handle' | 'onTimeout'> | undefined;
	/** Whether `raw` gets such frames at once: they don't wait for a handler, and come after the end too. */
	readonly isRawAtOnce: boolean;
	/** Called when a binary frame arrives and there is no `message` handler. */
	readonly onBinary: (session: Session) => void;
}

/** Reads clients' frames and passes each message to its handler: built-in, routed by type, or raw. */
export class TypedMessages implements MessageDispatcher {
	readonly #options: TypedMessagesOptions;
	readonly #builtIns: BuiltInMessages;
	readonly #routed: RoutedMessages;

	constructor(options: TypedMessagesOptions) {
		this.#options = options;
		this.#builtIns = new BuiltInMessages(options);
		this.#routed = new RoutedMessages(options);
	}

	handle(session: Session, frame: Frame): void {
		const { raw, limits, onBinary } = this.#options;
		if (typeof frame !== 'string') {
			if (raw === undefined) onBinary(session);
			else raw.handle(session, frame);
			return;
		}
		const message = readMessage(frame, limits.messageDepth);
		if (!(message instanceof MessageFault)) return this.#handleMessage(session, message, frame);
		if (message.isForeign && raw !== undefined) raw.handle(session, frame);
		else this.#refuseFault(session, message);
	}

	#handleMessage(session: Session, message: ClientMessage, frame: string): void {
		const { type } = message;
		if (BuiltInMessages.owns(type)) {
			if (!this.#builtIns.handleNow(session, message)) this.#builtIns.handleInTurn(session, message);
			return;
		}
		const route = this.#options.routes.get(type) ?? this.#options.unknown;
		if (route !== undefined) return this.#routed.handle(session, message, route);
		const { passesUnknown, raw } = this.#options;
		if (passesUnknown && raw !== undefined) return raw.handle(session, frame);
		this.#options.refusals.add('unknownType', { socketId: session.socketId, type });
		this.#refuse(session, message, 'unknown_type', `No handler for ${type}`);
	}

	/**
	 * Handles replies and heartbeats, passes on what `raw` gets at once, and refuses binary frames if the application
	 * has no handler for them.
	 */
	handleOnArrival(session: Session, frame: Frame): boolean {
		const { raw, limits, isRawAtOnce, onBinary } = this.#options;
		if (typeof frame !== 'string') {
			if (raw === undefined) onBinary(session);
			return raw === undefined;
		}
		if (!isRawAtOnce && !mayBeBuiltIn(frame)) return false;
		const message = readMessage(frame, limits.messageDepth);
		if (message instanceof MessageFault) {
			if (isRawAtOnce && message.isForeign) {
				raw?.handle(session, frame);
				return true;
			}
			// The running handler may wait for the reply.
			if (message.type !== BuiltIn.reply) return false;
			this.#refuseFault(session, message);
			return true;
		}
		return BuiltInMessages.owns(message.type) && this.#builtIns.handleNow(session, message);
	}

	#refuseFault(session: Session, { reason, type = '', correlationId, code }: MessageFault): void {
		const kind = code === 'invalid_data' ? 'data' : 'message';
		this.#options.refusals.add(kind, { socketId: session.socketId, reason });
		if (type === BuiltIn.reply) this.#builtIns.failRequest(session, correlationId, reason);
		this.#refuse(session, { type, correlationId }, code, `Invalid message: ${reason}`);
	}

	onRateExceeded(session: Session, frame: Frame): boolean {
		if (typeof frame === 'string' && mayBeBuiltIn(frame)) {
			const message = readMessage(frame, this.#options.limits.messageDepth);
			if (!(message instanceof MessageFault) && this.#builtIns.isExpectedReply(session, message)) {
				this.#builtIns.handleNow(session, message);
				return false;
			}
		}
		this.#options.refusals.add('rate', { socketId: session.socketId });
		this.#refuseUnread(session, frame, 'rate_limited', 'Rate limit exceeded; message not handled');
		return false;
	}

	onQueueFull(session: Session, frame: Frame): void {
		this.#options.refusals.add('requests', { socketId: session.socketId });
		this.#refuseUnread(session, frame, 'too_many_requests', 'Too many queued messages; message not handled');
	}

	onLateMessage(session: Session, frame: Frame): void {
		if (typeof frame !== 'string') return;
		const { raw, limits, isRawAtOnce } = this.#options;
		const message = readMessage(frame, limits.messageDepth);
		if (message instanceof MessageFault) {
			if (isRawAtOnce && message.isForeign) raw?.handle(session, frame);
			return;
		}
		if (BuiltInMessages.owns(message.type) && this.#builtIns.handleNow(session, message)) return;
		this.#options.refusals.count('stopping');
		this.#refuse(session, message, 'stopping', 'The server is stopping; message not handled');
	}

	#refuseUnread(session: Session, frame: Frame, code: ErrorCode, text: string): void {
		const message = typeof frame === 'string' ? readMessage(frame, this.#options.limits.messageDepth) : undefined;
		this.#refuse(session, { type: message?.type ?? '', correlationId: message?.correlationId }, code, text);
	}

	#refuse(session: Session, message: SentMessage, code: ErrorCode, text: string): void {
		sendRefusal(session, message, code, text);
		this.#options.events?.refused(session, message, code);
	}

	onTimeout(session: Session): void {
		const { running } = session.inbound;
		if (running instanceof PendingAuthorization) this.#builtIns.timeOut(session, running);
		else if (running instanceof MessageContext) this.#routed.timeOut(session, running);
		else this.#options.raw?.onTimeout(session);
	}
}

/**
 * Whether a text may be a built-in message. This is much cheaper than parsing. It misses none, because JSON has only
 * two ways to write the `@` at the start of a type.
 */
function mayBeBuiltIn(text: string): boolean {
	return text.includes('"@') || text.includes('"\\u0040');
}
