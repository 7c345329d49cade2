import type { StandardSchemaV1 } from '@standard-schema/spec';
import { InvalidMessageDefinitionError, MessageValidationError } from './errors.ts';
import { type InferInput, type InferOutput, isDefinition, type SocketMessage } from './message.ts';

/** What an emitted message is on the wire, as JSON in a text frame. */
export interface Envelope<TData = unknown> {
	/** The message's name. */
	readonly name: string;
	readonly data: TData;
	/** When it was emitted, in milliseconds since the epoch, by the sending node's clock. */
	readonly timestamp: number;
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
	if (!isDefinition(message))
		throw new InvalidMessageDefinitionError('make messages with SocketMessage.define({ name, data })');
	const result = message.data['~standard'].validate(data);
	return result instanceof Promise ? result.then((late) => valueOf(message, late)) : valueOf(message, result);
}

function valueOf(message: SocketMessage, result: StandardSchemaV1.Result<unknown>): unknown {
	if (result.issues !== undefined) throw new MessageValidationError(message.name, result.issues);
	return result.value;
}

export function encodeEnvelope(name: string, data: unknown): string {
	return JSON.stringify({ name, data, timestamp: Date.now() } satisfies Envelope);
}
