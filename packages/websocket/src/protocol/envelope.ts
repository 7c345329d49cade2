import type { StandardSchemaV1 } from '@standard-schema/spec';
import { InvalidMessageDefinitionError, MessageValidationError } from './errors.ts';
import type { MessagePosition } from './position.ts';
import { type InferInput, type InferOutput, isDefinition, type SocketMessage } from './message.ts';

/** What an emitted message is on the wire, as JSON in a text frame. */
export interface Envelope<TData = unknown> {
	/** The message's name. */
	readonly name: string;
	readonly data: TData;
	/** When it was emitted, in milliseconds since the epoch, by the sending node's clock. */
	readonly timestamp: number;
	/** The topic it was emitted to; not there on what was sent to the client itself. */
	readonly topic?: string;
	/** Where it stands in its topic's history; not there if that has none. */
	readonly position?: MessagePosition;
	/** There on a request: the client is to answer it, with this. */
	readonly correlationId?: string;
}

/**
 * Checks data against a message's schema and returns what the schema makes of it; a promise only where the schema is
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
 * Checks the answer to a message against its `reply` schema, as {@link validate} does its data. Null for a message without one.
 *
 * @throws {MessageValidationError} its `messageName` is that of the message answered; {InvalidMessageDefinitionError}
 */
export function validateReply(message: SocketMessage, reply: unknown): unknown {
	mustBeDefinition(message);
	return message.reply === undefined ? null : validateWith(message.name, message.reply, reply);
}

function mustBeDefinition(message: unknown): void {
	if (isDefinition(message)) return;
	throw new InvalidMessageDefinitionError('make messages with SocketMessage.define({ name, data })');
}

/** As {@link validate}, where the schema is known to be one. @param name for the error */
export function validateWith(name: string, schema: StandardSchemaV1, data: unknown): unknown {
	const result = schema['~standard'].validate(data);
	return result instanceof Promise ? result.then((late) => valueOf(name, late)) : valueOf(name, result);
}

function valueOf(name: string, result: StandardSchemaV1.Result<unknown>): unknown {
	if (result.issues !== undefined) throw new MessageValidationError(name, result.issues);
	return result.value;
}

/** What an emitted message is on the wire. @param topic where to; undefined for what is sent to one client */
export function encodeEnvelope(name: string, data: unknown, topic?: string): string {
	return JSON.stringify({ name, data, timestamp: Date.now(), topic } satisfies Loose<Envelope>);
}

/** What a request to a client is on the wire. */
export function encodeRequest(name: string, data: unknown, correlationId: string): string {
	return JSON.stringify({ name, data, timestamp: Date.now(), correlationId } satisfies Envelope);
}

/** Undefined is the same as not there, which is what JSON makes of it. */
type Loose<T> = { readonly [K in keyof T]: T[K] | undefined };
