/** The maximum length of a user's id, in UTF-16 units. */
const LONGEST = 256;

/** Returns whether a value is a valid user id: a string of 1 to 256 characters. */
export function isUserId(value: unknown): value is string {
	return typeof value === 'string' && value.length >= 1 && value.length <= LONGEST;
}
