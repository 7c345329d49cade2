/** @throws {TypeError} `value` is not a function */
export function mustBeFunction(value: unknown, what: string): void {
	if (typeof value !== 'function') throw new TypeError(`${what} must be a function, not ${typeof value}`);
}
