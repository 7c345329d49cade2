// What server and client share. Safe for browsers: no Bun, no Node.

// Message definitions
export { SocketMessage } from './message.ts';
export type { InferInput, InferOutput, RequestMessage } from './message.ts';

// On the wire
export { encodeEnvelope, validate, validateReply, validateWith } from './envelope.ts';
export type { Envelope } from './envelope.ts';
export { BuiltIn, encodeAnswer, encodeGapNotice, encodeRefusal } from './client-message.ts';
export type { Answer, ClientMessage, ErrorCode, GapNotice, RequestFault } from './client-message.ts';
export { CloseCode, readRetryHint, withRetryHint } from './closing.ts';

// Errors
export { InvalidMessageDefinitionError, MessageValidationError, SocketError, SocketRequestError } from './errors.ts';
export type { MessageIssue } from './errors.ts';
