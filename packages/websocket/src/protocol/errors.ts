import type { StandardSchemaV1 } from '@standard-schema/spec';

/** A message definition that can't work: a bad name, or something that is no Standard Schema. */
export class InvalidMessageDefinitionError extends Error {
	override readonly name = 'InvalidMessageDefinitionError';
	constructor(reason: string) {
		super(`Invalid message definition: ${reason}`);
	}
}

/** One thing that is wrong with a message's data. */
export interface MessageIssue {
	/** Where, as `items.0.price`; empty for the data as a whole. */
	readonly path: string;
	readonly message: string;
}

/** Data that does not fit its message's schema. */
export class MessageValidationError extends Error {
	override readonly name = 'MessageValidationError';
	/** The message's name. */
	readonly messageName: string;
	readonly issues: readonly MessageIssue[];
	constructor(messageName: string, issues: readonly StandardSchemaV1.Issue[]) {
		const listed = issues.map(({ path, message }) => ({ path: path?.map(keyOf).join('.') ?? '', message }));
		const reasons = listed.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
		super(`Data of ${messageName} does not fit its schema: ${reasons.join('; ')}`);
		this.messageName = messageName;
		this.issues = listed;
	}
}

function keyOf(segment: PropertyKey | StandardSchemaV1.PathSegment): string {
	return String(typeof segment === 'object' ? segment.key : segment);
}
