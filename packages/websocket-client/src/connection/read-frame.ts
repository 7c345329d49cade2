import {
	BuiltIn,
	type Envelope,
	type GapNotice,
	isPosition,
	type PositionNotice,
	readBinaryFrame,
	type RequestFault,
	restoreValues,
} from '@orijs/websocket/protocol';
import { isFault } from './answers.ts';

/** The answer to a request. */
export interface AnswerFrame {
	readonly kind: 'answer';
	readonly correlationId: string;
	readonly data: unknown;
	readonly error?: RequestFault | undefined;
}

/** A frame from the server, by kind. */
export type ServerFrame =
	| AnswerFrame
	| { readonly kind: 'refusal'; readonly type: string; readonly error: RequestFault }
	| { readonly kind: 'message'; readonly envelope: Envelope }
	| { readonly kind: 'gap'; readonly gap: GapNotice }
	| { readonly kind: 'position'; readonly position: PositionNotice }
	| { readonly kind: 'raw' };

/** A frame that is not the answer to a request. */
export type PushedFrame = Exclude<ServerFrame, { kind: 'answer' }>;

const RAW: ServerFrame = { kind: 'raw' };

/**
 * Reads a frame. What is not a protocol frame is `raw`: messages published without a schema can be any text or bytes.
 */
export function readFrame(received: string | ArrayBuffer): ServerFrame {
	if (typeof received !== 'string') {
		const binary = readBinaryFrame(received);
		if (binary === undefined) return RAW;
		return { kind: 'message', envelope: { name: BuiltIn.bytes, data: binary.payload, ...binary.head } };
	}
	let frame: Record<string, unknown>;
	try {
		frame = JSON.parse(received);
		// Fails for null.
		restoreValues(frame);
	} catch {
		return RAW;
	}
	const { type, correlationId, data, error, name, timestamp } = frame;
	if (typeof name === 'string' && typeof timestamp === 'number')
		return { kind: 'message', envelope: frame as unknown as Envelope };
	if (type === BuiltIn.gap) return isGap(data) ? { kind: 'gap', gap: data } : RAW;
	if (type === BuiltIn.position) return isPositionNotice(data) ? { kind: 'position', position: data } : RAW;
	if (typeof type !== 'string') return RAW;
	if (typeof correlationId === 'string') {
		return { kind: 'answer', correlationId, data, error: isFault(error) ? error : undefined };
	}
	return isFault(error) ? { kind: 'refusal', type, error } : RAW;
}

function isPositionNotice(value: unknown): value is PositionNotice {
	return isPosition(value) && Array.isArray((value as Partial<PositionNotice>).topics);
}

function isGap(value: unknown): value is GapNotice {
	const gap = value as Partial<GapNotice> | null | undefined;
	return typeof gap?.topic === 'string' && typeof gap.since === 'number' && typeof gap.until === 'number';
}
