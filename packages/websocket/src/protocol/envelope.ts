import type { StandardSchemaV1 } from '@standard-schema/spec';
import { encodeFrame } from './encode-frame.ts';
import { MessageValidationError } from './errors.ts';
import type { MessagePosition } from './position.ts';
import { type InferInput, type InferOutput, mustBeDefinition, mustHaveSchema, type SocketMessage } from './message.ts';

/** An emitted message on the wire: JSON in a text frame. */
export interface Envelope<TData = unknown> {
	/** The message's name. */
	readonly name: string;
	readonly data: TData;
	/** When the message was emitted, in milliseconds since the epoch, by the sending node's clock. */
	readonly timestamp: number;
	/** The topic to which the message was emitted; absent if it was sent to one client. */
	readonly topic?: string;
	/** The message's position in its topic's history; absent if the topic has no history. */
	readonly position?: MessagePosition;
	/** Present if the message is a request: the client's answer repeats this id. */
	readonly correlationId?: string;
}

/**
 * Validates data against a message's schema. Returns the schema's output; a promise only if the schema is
 * asynchronous.
 *
 * @throws {MessageValidationError} {InvalidMessageDefinitionError}
 */
export function validate<TMessage extends SocketMessage>(
	message: TMessage,
	data: InferInput<TMessage['data']>,
): InferOutput<TMessage['data']> | Promise<InferOutput<TMessage['data']>> {
	mustBeDefinition(message);
	return validateWith(message.name, message.data, data);
}

/**
 * Like {@link validate}, for a server, which never sends data that it has not checked: the definition must have a
 * schema.
 *
 * @throws {MessageValidationError} {InvalidMessageDefinitionError}
 */
export function validateToSend<TMessage extends SocketMessage>(
	message: TMessage,
	data: InferInput<TMessage['data']>,
): InferOutput<TMessage['data']> | Promise<InferOutput<TMessage['data']>> {
	mustHaveSchema(mustBeDefinition(message));
	return validateWith(message.name, message.data, data);
}

/**
 * Validates the answer to a message against the message's `reply` schema, in the same way as {@link validate}. Returns
 * null if the message has no such schema.
 *
 * @throws {MessageValidationError} {InvalidMessageDefinitionError}
 */
export function validateReply(message: SocketMessage, reply: unknown): unknown {
	mustBeDefinition(message);
	return message.reply === undefined ? null : validateWith(message.name, message.reply, reply, 'reply');
}

/**
 * Like {@link validate}, but without checking the definition.
 *
 * @param name the message's name, for the error
 * @param part what of the message it is, for the error
 */
export function validateWith(name: string, schema: StandardSchemaV1, data: unknown, part?: 'reply'): unknown {
	const result = schema['~standard'].validate(data);
	return result instanceof Promise ? result.then((late) => valueOf(name, late, part)) : valueOf(name, result, part);
}

function valueOf(name: string, result: StandardSchemaV1.Result<unknown>, part?: 'reply'): unknown {
	if (result.issues !== undefined) throw new MessageValidationError(name, result.issues, part);
	return result.value;
}

/**
 * Encodes an emitted message.
 *
 * @param topic undefined for a message to one client
 * @throws {UnsupportedValueError} the data has a value that can't be sent
 */
export function encodeEnvelope(name: string, data: unknown, topic?: string): string {
	return encodeFrame(name, { name, data, timestamp: Date.now(), topic } satisfies Loose<Envelope>);
}

/** Encodes a request to a client. @throws {UnsupportedValueError} the data has a value that can't be sent */
export function encodeRequest(name: string, data: unknown, correlationId: string): string {
	return encodeFrame(name, { name, data, timestamp: Date.now(), correlationId } satisfies Envelope);
}

/** Allows undefined for optional properties: `JSON.stringify` leaves them out. */
type Loose<T> = { readonly [K in keyof T]: T[K] | undefined };
