import type { BusHandlers } from '@orijs/websocket';
import { decodeHistory, HISTORY_MARKER } from './history-frame.ts';

/** Hands on what came over a channel; what can't be read goes where unreadable frames are counted. */
export function receive(handlers: BusHandlers, topic: string, frame: Buffer): void {
	const slice = frame[0] === HISTORY_MARKER ? decodeHistory(frame) : undefined;
	if (slice === undefined) handlers.deliver(topic, frame);
	else handlers.appended(topic, slice);
}
