// Code that server and client share. Safe for browsers: it uses neither Bun nor Node.

// Message definitions
export { mustBeDefinition, SocketMessage } from './message.ts';
export type { InferInput, InferOutput, RequestMessage } from './message.ts';

// On the wire
export { encodeEnvelope, encodeRequest, validate, validateReply, validateWith } from './envelope.ts';
export type { Envelope } from './envelope.ts';
export { encodeAnswer, encodeRefusal } from './client-message.ts';
export type { Answer, ClientMessage, ErrorCode, RequestFault } from './client-message.ts';
export { BuiltIn, encodeGapNotice, encodePositionNotice, MAX_TOPICS } from './built-in.ts';
export type {
	AuthAnswer,
	GapNotice,
	AnsweredAt,
	PingAnswer,
	PositionNotice,
	RefusedTopic,
	TopicRequest,
	TopicsAnswer,
	TopicsRequest,
} from './built-in.ts';
export * as CloseCode from './close-code.ts';
export { DRAINED_REASON, readRetryHint, wasDrained, withRetryHint } from './closing.ts';

// History
export { encodeBinaryFrame, readBinaryFrame } from './binary-frame.ts';
export type { BinaryHead } from './binary-frame.ts';
export { isPosition } from './position.ts';
export type { MessagePosition, Position } from './position.ts';

// Topics
export { isTopic } from './topic.ts';

// Errors
export { InvalidTopicError } from './topic.ts';
export { InvalidMessageDefinitionError, MessageValidationError, SocketError, SocketRequestError } from './errors.ts';
export type { MessageIssue } from './errors.ts';
