import type { WebSocketConnection } from '@orijs/websocket';
import { isPayload, roughSize, show } from '@orijs/websocket/internal';
import { ApplicationError } from './errors.ts';

/** Which messages are compressed. */
export interface PerMessageDeflate {
	/**
	 * The smallest message that is compressed, in bytes; for text, in characters. `ws.send(data, compress)` and its
	 * variants override it. Endpoints with the same provider share the smallest of theirs for everything but `ws.send`
	 * and its variants. Default 1,024.
	 */
	readonly thresholdBytes?: number;
}

type Sends = Pick<WebSocketConnection, 'send' | 'sendText' | 'sendBinary'>;

/**
 * Shorter messages are sent as they are: each is compressed on its own, so little is gained. `ws` and Socket.IO have
 * the same default.
 */
const DEFAULT_THRESHOLD_BYTES = 1024;

/** @throws {ApplicationError} the option is invalid */
export function checkPerMessageDeflate(option: unknown): void {
	if (typeof option === 'boolean' || isPerMessageDeflate(option)) return;
	throw new ApplicationError(
		'perMessageDeflate must be true, false, or { thresholdBytes } with a whole number of bytes, 0 or more, ' +
			`not ${show(option)}`,
	);
}

function isPerMessageDeflate(option: unknown): option is PerMessageDeflate {
	if (typeof option !== 'object' || option === null || Array.isArray(option)) return false;
	const { thresholdBytes = 0, ...rest } = option as PerMessageDeflate;
	return Object.keys(rest).length === 0 && Number.isSafeInteger(thresholdBytes) && thresholdBytes >= 0;
}

/** Returns the smallest message that is compressed, in bytes; undefined if none is. */
export function compressFrom(option: boolean | PerMessageDeflate | undefined): number | undefined {
	if (option === undefined || option === false) return undefined;
	return option === true ? DEFAULT_THRESHOLD_BYTES : (option.thresholdBytes ?? DEFAULT_THRESHOLD_BYTES);
}

/** Returns Bun's methods. They compress messages of at least `from` bytes, unless the caller decides. */
export function compressingSends({ send, sendText, sendBinary }: Sends, from: number): Sends {
	const sends: Sends & ThisType<WebSocketConnection> = {
		send(data, compress = isLong(data, from)) {
			return send.call(this, data, compress);
		},
		sendText(data, compress = isLong(data, from)) {
			return sendText.call(this, data, compress);
		},
		sendBinary(data, compress = isLong(data, from)) {
			return sendBinary.call(this, data, compress);
		},
	};
	return sends;
}

function isLong(data: unknown, from: number): boolean {
	return isPayload(data) && roughSize(data) >= from;
}
