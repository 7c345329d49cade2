import { show } from '@orijs/websocket/internal';
import { ApplicationError } from '../errors.ts';

const LONGEST_USER_ID = 256;

/**
 * Checks who a user is said to be.
 *
 * @param what the name of the value, for errors, such as `ctx.userId`
 * @throws {ApplicationError} it is not a string of 1 to 256 characters
 */
export function checkUserId(what: string, userId: unknown): asserts userId is string {
	if (typeof userId === 'string' && userId !== '' && userId.length <= LONGEST_USER_ID) return;
	const got = typeof userId === 'string' ? `one of ${userId.length}` : show(userId);
	throw new ApplicationError(`${what} must be a string of 1 to ${LONGEST_USER_ID} characters, not ${got}`);
}
