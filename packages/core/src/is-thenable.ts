/** Query builders give promises that are no `Promise`. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
	return (
		typeof value === 'object' && value !== null && typeof (value as Partial<PromiseLike<unknown>>).then === 'function'
	);
}
