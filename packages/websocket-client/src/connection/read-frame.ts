import {
	BuiltIn,
	type Envelope,
	type GapNotice,
	isPosition,
	type PositionNotice,
	readBinaryFrame,
	type RequestFault,
	restoreValues,
	type SubscribedTopic,
} from '@orijs/websocket/protocol';
import { isFault, isPingAnswer, isPresenceNotice } from './answers.ts';

/**
 * A frame with a `type`: a notice, whose `data` is as its type says; an answer, if it has a `correlationId`; or else a
 * refusal, which has an `error`.
 */
export interface TypedFrame {
	readonly name?: undefined;
	readonly type: string;
	readonly correlationId?: string;
	readonly data: unknown;
	readonly error?: RequestFault;
}

/** A frame from the server. Only messages have a `name`. */
export type ServerFrame = Envelope | TypedFrame;

/**
 * Reads a frame. Returns undefined for what is not a protocol frame: messages published without a schema can be any
 * text or bytes.
 */
export function readFrame(received: string | ArrayBuffer): ServerFrame | undefined {
	if (typeof received !== 'string') {
		const binary = readBinaryFrame(received);
		return binary && { name: BuiltIn.bytes, data: binary.payload, ...binary.head };
	}
	let frame: Record<string, unknown> | undefined;
	let fault: RequestFault | undefined;
	try {
		frame = JSON.parse(received);
		// Fails for null.
		restoreValues(frame as object);
	} catch {
		fault = { code: 'invalid_reply', message: 'the answer is invalid' };
	}
	const { type, correlationId, data, error = fault, name, timestamp } = frame ?? {};
	if (typeof name === 'string' && typeof timestamp === 'number')
		return fault ? undefined : (frame as unknown as Envelope);
	const isAnswer = typeof correlationId === 'string';
	if (typeof type !== 'string' || (fault && !isAnswer)) return undefined;
	return isAnswer || isNotice(type, data) || isFault(error)
		? ({ type, correlationId, data, error } as TypedFrame)
		: undefined;
}

/** Returns whether the `data` of a notice is as its type says. */
function isNotice(type: string, data: unknown): boolean {
	switch (type) {
		case BuiltIn.gap:
			return isGap(data);
		case BuiltIn.position:
			return isPositionNotice(data);
		case BuiltIn.subscribed:
			return isPingAnswer(data) && hasTopics(data, isChosen);
		case BuiltIn.unsubscribed:
			return hasTopics(data, isFault);
		case BuiltIn.presence:
			return isPresenceNotice(data);
		case BuiltIn.unwatched:
		case BuiltIn.disconnected:
			return isFault(data);
		default:
			return false;
	}
}

function hasTopics(value: unknown, isValid: (topic: SubscribedTopic) => boolean): boolean {
	const topics = (value as { readonly topics?: unknown } | null)?.topics;
	return Array.isArray(topics) && topics.every((topic) => typeof topic?.topic === 'string' && isValid(topic));
}

function isChosen({ position, since }: SubscribedTopic): boolean {
	return (!position || isPosition(position)) && (since === undefined || typeof since === 'number');
}

function isPositionNotice(value: unknown): value is PositionNotice {
	return isPosition(value) && Array.isArray((value as Partial<PositionNotice>).topics);
}

function isGap(value: unknown): value is GapNotice {
	const gap = value as Partial<GapNotice> | null | undefined;
	return typeof gap?.topic === 'string' && typeof gap.since === 'number' && typeof gap.until === 'number';
}
