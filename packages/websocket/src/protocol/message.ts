import type { StandardSchemaV1 } from '@standard-schema/spec';
import { InvalidMessageDefinitionError } from './errors.ts';
import { show } from './show.ts';

/** A message definition: its name on the wire and the schema of its data. Shared by server and client. */
export interface SocketMessage<
	TData extends StandardSchemaV1 = StandardSchemaV1,
	TReply extends StandardSchemaV1 | undefined = StandardSchemaV1 | undefined,
> {
	readonly name: string;
	/** The schema of `data`: any Standard Schema (zod, valibot, arktype, …). */
	readonly data: TData;
	/** The schema of the answer; undefined for a message without an answer. */
	readonly reply: TReply;
}

/** A message that expects an answer. */
export type RequestMessage = SocketMessage<StandardSchemaV1, StandardSchemaV1>;

export type InferInput<TSchema extends StandardSchemaV1> = StandardSchemaV1.InferInput<TSchema>;
export type InferOutput<TSchema extends StandardSchemaV1> = StandardSchemaV1.InferOutput<TSchema>;

const NAME = /^[A-Za-z0-9_:.-]{1,128}$/;

/** Creates message definitions. */
export const SocketMessage: {
	/**
	 * Defines a message.
	 *
	 * @param definition.name 1 to 128 characters from `A-Z a-z 0-9 _ : . -`; unique within an application
	 * @throws {InvalidMessageDefinitionError}
	 */
	define<TData extends StandardSchemaV1, TReply extends StandardSchemaV1 | undefined = undefined>(definition: {
		readonly name: string;
		readonly data: TData;
		readonly reply?: TReply;
	}): SocketMessage<TData, TReply>;
} = {
	define: (definition) => {
		const { name, data, reply } = definition ?? {};
		if (typeof name !== 'string' || !NAME.test(name)) {
			throw new InvalidMessageDefinitionError(
				`a message's name is 1 to 128 characters from A-Z a-z 0-9 _ : . -, not ${show(name)}`,
			);
		}
		if (!isSchema(data)) throw new InvalidMessageDefinitionError(`data of ${name} is not a Standard Schema`);
		if (reply !== undefined && !isSchema(reply)) {
			throw new InvalidMessageDefinitionError(`reply of ${name} is not a Standard Schema`);
		}
		return Object.freeze({ name, data, reply: reply as never });
	},
};

/** Returns the message if it can be used as a definition. @throws {InvalidMessageDefinitionError} it can't */
export function mustBeDefinition<TMessage extends SocketMessage>(message: TMessage): TMessage {
	const { name, data } = (message ?? {}) as Partial<SocketMessage>;
	if (typeof name === 'string' && isSchema(data)) return message;
	throw new InvalidMessageDefinitionError('define messages with SocketMessage.define({ name, data })');
}

function isSchema(value: unknown): value is StandardSchemaV1 {
	return typeof (value as Partial<StandardSchemaV1> | null | undefined)?.['~standard']?.validate === 'function';
}
