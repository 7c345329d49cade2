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

// Types that no argument has. The compiler's error about a call that lacks an argument ends with their text, where it
// would otherwise only count the arguments.
export type MessageAndData = 'a message from SocketMessage.define(), followed by its data';
export type MessageAndHandler = 'a message from SocketMessage.define() with a reply, followed by its handler';

export type InferInput<TSchema extends StandardSchemaV1> = StandardSchemaV1.InferInput<TSchema>;
export type InferOutput<TSchema extends StandardSchemaV1> = StandardSchemaV1.InferOutput<TSchema>;

/** The type of a definition without schemas: of {@link SocketMessage.define} with a name. */
export type UncheckedMessage<TData, TReply> = SocketMessage<
	StandardSchemaV1<TData>,
	[TReply] extends [never] ? undefined : StandardSchemaV1<TReply>
>;

/** The schema of definitions without one: accepts anything. */
const UNCHECKED: StandardSchemaV1<never, never> = {
	'~standard': { version: 1, vendor: 'orijs.unchecked', validate: (value) => ({ value: value as never }) },
};

const NAME = /^[A-Za-z0-9_:.-]{1,128}$/;

/** Creates message definitions. */
export const SocketMessage: {
	/**
	 * Defines a message without schemas, for clients that don't want to load a schema library. Their data is not checked
	 * before it is sent; the server checks it, with its own definition of the same name. Servers refuse definitions like
	 * this.
	 *
	 * @typeParam TData the type of the data
	 * @typeParam TReply the type of the reply; without it, the message has none
	 * @param name as below
	 * @throws {InvalidMessageDefinitionError}
	 */
	define<TData, TReply = never>(name: string): UncheckedMessage<TData, TReply>;
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
	define: (definition: unknown): never => {
		// At run time, nothing shows whether a definition without schemas has a reply.
		const { name, data, reply, ...rest } = (
			typeof definition === 'string' ? { name: definition, data: UNCHECKED, reply: UNCHECKED } : (definition ?? {})
		) as Partial<Record<string, unknown>>;
		if (typeof name !== 'string' || !NAME.test(name)) {
			throw new InvalidMessageDefinitionError(
				`a message's name is 1 to 128 characters from A-Z a-z 0-9 _ : . -, not ${show(name)}`,
			);
		}
		const [unknown] = Object.keys(rest);
		if (unknown !== undefined) {
			throw new InvalidMessageDefinitionError(
				`${name} has an unknown key ${show(unknown)}; allowed are name, data and reply`,
			);
		}
		mustBeSchema(`data of ${name}`, data);
		if (reply !== undefined) mustBeSchema(`reply of ${name}`, reply);
		return Object.freeze({ name, data, reply }) as never;
	},
};

/** Returns whether a value has the properties that make it usable as a message definition. */
export function isDefinition(value: unknown): value is SocketMessage {
	const { name, data } = (value ?? {}) as Partial<SocketMessage>;
	return typeof name === 'string' && isSchema(data);
}

/** Returns the message if it is a definition. @throws {InvalidMessageDefinitionError} it is not */
export function mustBeDefinition<TMessage extends SocketMessage>(message: TMessage): TMessage {
	if (isDefinition(message)) return message;
	throw new InvalidMessageDefinitionError('define messages with SocketMessage.define({ name, data })');
}

/**
 * Servers check all data that they receive and send.
 *
 * @throws {InvalidMessageDefinitionError} the message has no schema
 */
export function mustHaveSchema({ name, data }: SocketMessage): void {
	if (data['~standard'].vendor !== UNCHECKED['~standard'].vendor) return;
	throw new InvalidMessageDefinitionError(
		`${name} has no schema, so a server can't check its data: define it with SocketMessage.define({ name, data })`,
	);
}

function mustBeSchema(what: string, value: unknown): void {
	if (isSchema(value)) return;
	throw new InvalidMessageDefinitionError(
		`${what} is not a Standard Schema, such as those of zod, valibot and arktype; a TypeBox schema needs an adapter`,
	);
}

/** Returns whether a value is a Standard Schema. */
export function isSchema(value: unknown): value is StandardSchemaV1 {
	// Not only objects: arktype's schemas are functions.
	return typeof (value as Partial<StandardSchemaV1> | null | undefined)?.['~standard']?.validate === 'function';
}
