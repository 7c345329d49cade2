import type { Logger } from '@orijs/websocket';
import { escapeText } from '@orijs/websocket/internal';
import type { ClientMessage, InferOutput, SocketMessage } from '@orijs/websocket/protocol';
import type { Session } from '../session/session.ts';
import { BoundLogger } from '../support/bound-logger.ts';
import { type ContextServices, SocketContext } from './socket-context.ts';

/** The argument of a message's guards and handler. */
export class MessageContext<
	TMessage extends SocketMessage = SocketMessage,
	TState extends object = object,
> extends SocketContext<TState> {
	/** The message's name. */
	readonly type: string;
	/** Identifies the request that an answer belongs to; undefined if the message is not a request. */
	readonly correlationId: string | undefined;
	/** The message's data: the output of its schema. */
	readonly data: InferOutput<TMessage['data']>;
	readonly #logger: Logger;
	/** Whether the message has been answered or has timed out. */
	#isSettled = false;

	/** Created for each message by the application; do not create one yourself. */
	constructor(services: ContextServices, session: Session, { type, data, correlationId }: ClientMessage) {
		super(services, session);
		this.type = type;
		this.correlationId = correlationId;
		this.data = data;
		this.#logger = services.logger;
	}

	/** A logger that adds the socket's id, the message's name and its correlation id to each line. */
	override get log(): Logger {
		const { socketId, correlationId } = this;
		// The client chooses the correlation id, and the name of a message that only `onUnknown` handles.
		const type = escapeText(this.type);
		const id = correlationId === undefined ? undefined : escapeText(correlationId);
		return new BoundLogger(this.#logger, { socketId, type, correlationId: id });
	}

	/** Internal: sets the validated data. */
	static setData(ctx: MessageContext, data: unknown): void {
		(ctx as { data: unknown }).data = data;
	}

	/** Internal: marks the message as answered. Returns false if it already was. */
	static settle(ctx: MessageContext): boolean {
		if (ctx.#isSettled) return false;
		ctx.#isSettled = true;
		return true;
	}
}
