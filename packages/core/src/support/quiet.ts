/** The same promise, which rejects for whoever awaits it and crashes nobody who doesn't. */
export function quiet<T>(promise: Promise<T>): Promise<T> {
	promise.catch(ignore);
	return promise;
}

function ignore(): void {}
