// Code that server and client share. Safe for browsers: it uses neither Bun nor Node.

// Message definitions
export { isDefinition, mustBeDefinition, mustHaveSchema, SocketMessage } from './message.ts';
export type { StandardSchemaV1 } from '@standard-schema/spec';
export type {
	InferInput,
	InferOutput,
	MessageAndData,
	MessageAndHandler,
	RequestMessage,
	UncheckedMessage,
} from './message.ts';

// On the wire
export { encodeEnvelope, encodeRequest, validate, validateReply, validateToSend, validateWith } from './envelope.ts';
export type { Envelope } from './envelope.ts';
export { encodeFrame } from './encode-frame.ts';
export { encodeValues, restoreValues } from './carried-values.ts';
export type { CarriedValue } from './carried-values.ts';
export { encodeAnswer, encodeRefusal } from './answer.ts';
export type { Answer, ClientMessage, ErrorCode, RequestFault } from './client-message.ts';
export {
	BuiltIn,
	DEFAULT_PAGE,
	encodeDisconnectedNotice,
	encodeGapNotice,
	encodePositionNotice,
	encodeSubscribedNotice,
	encodeUnsubscribedNotice,
	MAX_PAGE,
	MAX_TOPICS,
} from './built-in.ts';
export type {
	AuthAnswer,
	DisconnectedNotice,
	GapNotice,
	AnsweredAt,
	HistoryAnswer,
	HistoryRequest,
	PingAnswer,
	PositionNotice,
	RefusedTopic,
	SubscribedNotice,
	SubscribedTopic,
	TopicRequest,
	TopicsAnswer,
	TopicsRequest,
	UnsubscribedNotice,
	UnsubscribedTopic,
} from './built-in.ts';
export { CloseCode, DRAINED_REASON, readRetryHint, wasDrained, withRetryHint } from './closing.ts';

export { SUBPROTOCOL } from './subprotocol.ts';

// History
export { encodeBinaryFrame, readBinaryFrame } from './binary-frame.ts';
export type { BinaryHead } from './binary-frame.ts';
export { isPosition } from './position.ts';
export type { MessagePosition, Position } from './position.ts';
export type { PositionedEnvelope } from './positioned-envelope.ts';

// Presence
export { encodeUnwatchedNotice } from './presence.ts';
export type {
	PresenceMember,
	PresenceNotice,
	PresenceVersion,
	UnwatchedNotice,
	UnwatchRequest,
	UpdateRequest,
	WatchAnswer,
	WatchRequest,
} from './presence.ts';

// Topics
export { isTopic } from './topic.ts';

// Errors
export { show } from './show.ts';
export { InvalidTopicError } from './topic.ts';
export {
	InvalidMessageDefinitionError,
	MessageValidationError,
	SocketError,
	SocketRequestError,
	UnsupportedValueError,
} from './errors.ts';
export type { MessageIssue } from './errors.ts';
