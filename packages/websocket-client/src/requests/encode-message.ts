import type { ClientMessage } from '@orijs/websocket/protocol';
import { UnsentMessageError } from '../errors.ts';

/** A message as it goes to the server. @throws {UnsentMessageError} JSON has no way to write the data */
export function encodeMessage(name: string, data: unknown, correlationId?: string): string {
	try {
		return JSON.stringify({
			type: name,
			data,
			...(correlationId === undefined ? {} : { correlationId }),
		} satisfies ClientMessage);
	} catch (cause) {
		throw new UnsentMessageError(name, 'not_json', 'its data can not be written as JSON', { cause });
	}
}
