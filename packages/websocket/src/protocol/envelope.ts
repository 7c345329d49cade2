import type { StandardSchemaV1 } from '@standard-schema/spec';
import { InvalidMessageDefinitionError, MessageValidationError } from './errors.ts';
import type { MessagePosition } from './position.ts';
import { type InferInput, type InferOutput, isDefinition, type SocketMessage } from './message.ts';

/** An emitted message on the wire: JSON in a text frame. */
export interface Envelope<TData = unknown> {
	/** The message's name. */
	readonly name: string;
	readonly data: TData;
	/** When it was emitted, in milliseconds since the epoch, by the sending node's clock. */
	readonly timestamp: number;
	/** The topic it was emitted to; absent on a message to one client. */
	readonly topic?: string;
	/** Its position in its topic's history; absent if the topic has none. */
	readonly position?: MessagePosition;
	/** Present on a request: the client answers with this id. */
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
 * Validates the answer to a message against its `reply` schema, as {@link validate} does its data. Returns null for a
 * message without one.
 *
 * @throws {MessageValidationError} with the `messageName` of the answered message; {InvalidMessageDefinitionError}
 */
export function validateReply(message: SocketMessage, reply: unknown): unknown {
	mustBeDefinition(message);
	return message.reply === undefined ? null : validateWith(message.name, message.reply, reply);
}

function mustBeDefinition(message: unknown): void {
	if (isDefinition(message)) return;
	throw new InvalidMessageDefinitionError('define messages with SocketMessage.define({ name, data })');
}

/** As {@link validate}, for a definition that is known to be valid. @param name the message's name, for the error */
export function validateWith(name: string, schema: StandardSchemaV1, data: unknown): unknown {
	const result = schema['~standard'].validate(data);
	return result instanceof Promise ? result.then((late) => valueOf(name, late)) : valueOf(name, result);
}

function valueOf(name: string, result: StandardSchemaV1.Result<unknown>): unknown {
	if (result.issues !== undefined) throw new MessageValidationError(name, result.issues);
	return result.value;
}

/** Encodes an emitted message. @param topic undefined for a message to one client */
export function encodeEnvelope(name: string, data: unknown, topic?: string): string {
	return JSON.stringify({ name, data, timestamp: Date.now(), topic } satisfies Loose<Envelope>);
}

/** Encodes a request to a client. */
export function encodeRequest(name: string, data: unknown, correlationId: string): string {
	return JSON.stringify({ name, data, timestamp: Date.now(), correlationId } satisfies Envelope);
}

/** Allows undefined for an absent property: JSON leaves both out. */
type Loose<T> = { readonly [K in keyof T]: T[K] | undefined };
