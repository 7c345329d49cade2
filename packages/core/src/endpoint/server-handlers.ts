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
	return {
		...limits,
		perMessageDeflate: [first, ...others].some(({ compressFrom }) => compressFrom !== undefined),
		open(raw) {
			const endpoint = endpointOf(raw);
			if (endpoint === undefined) refuse(raw, first.logger);
			else endpoint.onConnected(raw);
		},
		message: isSizeShared ? receive : receiveWithin,
		ping(raw, payload) {
			endpointOf(raw)?.onPing(raw.data as SocketSession, payload);
		},
		pong(raw, payload) {
			endpointOf(raw)?.onPong(raw.data as SocketSession, payload);
		},
		close(raw, code, reason) {
			endpointOf(raw)?.onClosed(raw.data as SocketSession, code, reason);
		},
		drain(raw) {
			return endpointOf(raw)?.onDrain(raw.data as SocketSession);
		},
	};
}

function receive({ data }: WebSocketConnection, frame: Frame): void {
	(data as SocketSession).receive(frame);
}

/** Receives a frame if it is not longer than the endpoint of its socket allows. */
function receiveWithin({ data }: WebSocketConnection, frame: Frame): void {
	const session = data as SocketSession;
	const endpoint = session.host as WebSocketEndpoint;
	if (isLongerThan(frame, endpoint.limits.messageBytes)) endpoint.onTooBig(session);
	else session.receive(frame);
}

/**
 * Returns the endpoint of a socket; undefined if no endpoint has upgraded it. Under `bun --hot`, the server gets the
 * handlers of newer code while it still has sockets of the old code, so their classes may be those of another copy.
 */
function endpointOf({ data }: WebSocketConnection): WebSocketEndpoint | undefined {
	const host = (data as Partial<SocketSession> | undefined)?.host as WebSocketEndpoint | undefined;
	return typeof host?.onConnected === 'function' ? host : undefined;
}

/** Closes a socket that the program has upgraded itself: no endpoint knows it. */
function refuse(raw: WebSocketConnection, logger: Logger): void {
	raw.close(CloseCode.internalError, 'not a connection of an endpoint');
	logger.error(
		'A connection was closed: it was upgraded by server.upgrade(), but the websocket handlers of its server are those of ' +
			'endpoints, which serve only connections that endpoint.handle() has upgraded',
	);
}
