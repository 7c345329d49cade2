import type { BusHandlers } from '@orijs/websocket';
import { decodeHistory, HISTORY_MARKER } from './history-frame.ts';

/** Passes a frame to the handlers. An unreadable history frame goes to `deliver`, which counts it as skipped. */
export function receive(handlers: BusHandlers, channel: string, frame: Buffer): void {
	const slice = frame[0] === HISTORY_MARKER ? decodeHistory(frame) : undefined;
	if (slice === undefined) handlers.deliver(channel, frame);
	else handlers.appended(channel, slice);
}
