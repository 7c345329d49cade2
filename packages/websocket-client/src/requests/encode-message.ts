import { UnsentMessageError } from '../errors.ts';

/**
 * Encodes a message to the server, or a request if there is a correlation id.
 *
 * @throws {UnsentMessageError} the data can't be written as JSON
 */
export function encodeMessage(name: string, data: unknown, correlationId?: string): string {
	try {
		return JSON.stringify({ type: name, data, correlationId });
	} catch (cause) {
		throw new UnsentMessageError(name, 'not_json', "its data can't be written as JSON", { cause });
	}
}
