/** The errors that are already in the log, so that code they are passed on to does not log them again. */
const logged = new WeakSet<object>();

/** Marks an error as logged. */
export function markLogged(error: unknown): void {
	if (typeof error === 'object' && error !== null) logged.add(error);
}

/** Returns whether an error has been logged. */
export function isLogged(error: unknown): boolean {
	return typeof error === 'object' && error !== null && logged.has(error);
}
