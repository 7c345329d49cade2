// What server and client share. Safe for browsers: no Bun, no Node.

export { SocketMessage } from './message.ts';
export type { InferInput, InferOutput } from './message.ts';
export { encodeEnvelope, validate } from './envelope.ts';
export type { Envelope } from './envelope.ts';
export { InvalidMessageDefinitionError, MessageValidationError } from './errors.ts';
export type { MessageIssue } from './errors.ts';
