import type { Logger, SocketData, WebSocketConnection } from '@orijs/websocket';
import { CloseCode } from '@orijs/websocket/protocol';
import type { WebSocketHandler } from 'bun';
import type { AllLimits } from '../limits.ts';
import { isLongerThan } from '../session/frame-bytes.ts';
import type { Frame } from '../session/session.ts';
import type { SocketSession } from '../session/socket-session.ts';
import type { WebSocketOptions } from '../websocket-options.ts';
import { bunLimits } from './bun-limits.ts';
import { backpressureLimits } from './slow-reader-policy.ts';
import type { WebSocketEndpoint } from './websocket-endpoint.ts';

/** The part of an endpoint's configuration that its server must know. */
export interface ServedEndpoint {
	readonly path: string;
	readonly limits: AllLimits;
	readonly slowReaders: NonNullable<WebSocketOptions['slowReaders']>;
	/** The smallest message that is compressed, in bytes; undefined if none is. */
	readonly compressFrom: number | undefined;
	readonly logger: Logger;
}

/**
 * Returns the handlers and limits with which `Bun.serve` serves all of these endpoints, which must fit together. Bun
 * has one set of limits for all sockets of a server: each is the largest that any endpoint needs. The endpoints
 * themselves enforce smaller ones. If any wants to compress, Bun may; connections of the others don't negotiate it.
 */
export function serverHandlers(
	first: ServedEndpoint,
	others: readonly ServedEndpoint[] = [],
): WebSocketHandler<SocketData> {
	const limits = { ...bunLimits(first.limits), ...backpressureLimits(first.slowReaders, first.limits.queuedBytes) };
	let isSizeShared = true;
	for (const other of others) {
		const { maxPayloadLength, idleTimeout } = bunLimits(other.limits);
		const { backpressureLimit } = backpressureLimits(other.slowReaders, other.limits.queuedBytes);
		isSizeShared &&= limits.maxPayloadLength === maxPayloadLength;
		limits.maxPayloadLength = Math.max(limits.maxPayloadLength, maxPayloadLength);
		limits.idleTimeout = Math.max(limits.idleTimeout, idleTimeout);
		limits.backpressureLimit = Math.max(limits.backpressureLimit, backpressureLimit);
	}
	return whole({
		...limits,
		perMessageDeflate: [first, ...others].some(({ compressFrom }) => compressFrom !== undefined),
		open(raw) {
			const endpoint = endpointOf(raw);
			if (endpoint === undefined) refuse(raw, first.logger);
			else endpoint.onConnected(raw);
		},
		message: isSizeShared
			? (raw, frame) => {
					const session = raw.data as SocketSession;
					if (isSession(session)) session.receive(frame);
					else refuse(raw, first.logger);
				}
			: (raw, frame) => {
					const session = raw.data as SocketSession;
					if (isSession(session)) receiveWithin(session, frame);
					else refuse(raw, first.logger);
				},
		ping(raw, payload) {
			endpointAt(raw)?.onPing(raw.data as SocketSession, payload);
		},
		pong(raw, payload) {
			endpointAt(raw)?.onPong(raw.data as SocketSession, payload);
		},
		close(raw, code, reason) {
			endpointAt(raw)?.onClosed(raw.data as SocketSession, code, reason);
		},
		drain(raw) {
			return endpointAt(raw)?.onDrain(raw.data as SocketSession);
		},
	});
}

/**
 * Keeps the handlers out of copies such as `{ ...endpoint.websocket, message }`: a part of them, with the `message` of
 * an application, would pass it the protocol's frames, and with them the credentials of clients. Bun finds them all the
 * same, and a server with such a copy counts as one with other handlers.
 */
function whole(handlers: WebSocketHandler<SocketData>): WebSocketHandler<SocketData> {
	for (const [name, value] of Object.entries(handlers)) {
		if (typeof value === 'function') Object.defineProperty(handlers, name, { enumerable: false });
	}
	return handlers;
}

/** Receives a frame if it is not longer than the endpoint of its socket allows. */
function receiveWithin(session: SocketSession, frame: Frame): void {
	const endpoint = session.host as WebSocketEndpoint;
	if (isLongerThan(frame, endpoint.limits.messageBytes)) endpoint.onTooBig(session);
	else session.receive(frame);
}

/**
 * Returns the endpoint of a socket; undefined if no endpoint has upgraded it. Under `bun --hot`, the server gets the
 * handlers of newer code while it still has sockets of the old code, so their classes may be those of another copy.
 */
function endpointOf({ data }: WebSocketConnection): WebSocketEndpoint | undefined {
	const host = (data as Partial<SocketSession> | null | undefined)?.host as WebSocketEndpoint | undefined;
	return typeof host?.onConnected === 'function' ? host : undefined;
}

/**
 * Whether an endpoint's handlers have opened a socket with this data. Cheaper than {@link endpointOf}, for each
 * message. After `server.reload`, sockets that earlier handlers have opened send theirs to the new ones.
 */
function isSession(data: Partial<SocketSession> | null | undefined): data is SocketSession {
	return data?.isAttached === true;
}

/** Returns the endpoint that has opened a socket; undefined if none has. */
function endpointAt({ data }: WebSocketConnection): WebSocketEndpoint | undefined {
	const session = data as SocketSession;
	return isSession(session) ? (session.host as WebSocketEndpoint) : undefined;
}

/** Closes a socket that no endpoint has upgraded. */
function refuse(raw: WebSocketConnection, logger: Logger): void {
	raw.close(CloseCode.internalError, 'not a connection of an endpoint');
	logger.error(
		'A connection was closed: it was upgraded by server.upgrade(), but the websocket handlers of its server are those of ' +
			'endpoints, which serve only connections that endpoint.handle() has upgraded',
	);
}
