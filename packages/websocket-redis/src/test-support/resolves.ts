/** Returns whether a promise resolves. */
export function resolves(promise: Promise<unknown>): Promise<boolean> {
	return promise.then(
		() => true,
		() => false,
	);
}
