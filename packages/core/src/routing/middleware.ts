import { quiet, rejected } from '@orijs/websocket/internal';
import type { SocketMessage } from '@orijs/websocket/protocol';
import { ApplicationError } from '../errors.ts';
import type { MessageContext } from './message-context.ts';

/**
 * Runs around a message: for logging, limits per user, and whatever else all messages of a router share.
 *
 * Before `next()`, `ctx.data` is what the client sent, not validated; the rest of `ctx` is as in a handler, with
 * `ctx.state`. `next()` runs the next middleware; the last one validates the data, runs the guards and calls the
 * handler.
 *
 * - `next()` resolves with the return value of what it ran: the handler's, which is validated against the message's
 *   `reply` only after all middleware has returned.
 * - It rejects with a `SocketError` if the message is refused, with the code `invalid_data` (its `cause` is the
 *   `MessageValidationError`), `forbidden`, or `timeout` if `limits.handlerTimeoutMs` is over; otherwise with what a
 *   guard or the handler threw. An error that the middleware lets through, or throws itself, does what it does in a
 *   handler.
 * - What the middleware returns is the answer. If it returns nothing (undefined), the answer is that of `next()`,
 *   awaited or not, or its error, caught or not.
 * - Middleware that does not call `next()` answers in the handler's place, or throws a `SocketError` to refuse.
 *
 * @param next throws an {@link ApplicationError} if called twice, and rejects with one if called after the middleware
 * has returned
 */
export type MessageMiddleware<TState extends object> = (
	ctx: MessageContext<SocketMessage, TState>,
	next: () => Promise<unknown>,
) => any;

/** One message on its way through the middleware of its router. */
export interface Passage {
	readonly ctx: MessageContext;
	readonly middleware: readonly MessageMiddleware<never>[];
	/** What the innermost `next()` does. */
	readonly handle: () => Promise<unknown>;
	/** Called with an error that nothing else will report. */
	readonly lost: (error: unknown) => void;
}

/** Runs a message's middleware from the given one on, and resolves with the answer. */
export async function runMiddleware(passage: Passage, index: number = 0): Promise<unknown> {
	const { ctx, middleware, handle, lost } = passage;
	const current = middleware[index];
	if (current === undefined) return handle();

	let inner: Promise<unknown> | undefined;
	let isInnerRunning = false;
	let hasReturned = false;
	const next = (): Promise<unknown> => {
		if (hasReturned) {
			const error = new ApplicationError(`use(): next() of ${ctx.type} was called after the middleware had returned`);
			lost(error);
			return rejected(error);
		}
		if (inner !== undefined) throw new ApplicationError(`use(): a middleware called next() of ${ctx.type} twice`);
		isInnerRunning = true;
		inner = quiet(
			runMiddleware(passage, index + 1).finally(() => {
				isInnerRunning = false;
			}),
		);
		return inner;
	};
	let answer: unknown;
	let isAnswered = true;
	try {
		answer = await current(ctx as never, next);
		isAnswered = answer !== undefined || inner === undefined;
	} finally {
		hasReturned = true;
		// The message is answered without the handler, which may still fail.
		if (isAnswered && isInnerRunning) inner?.catch(lost);
	}
	return isAnswered ? answer : inner;
}
