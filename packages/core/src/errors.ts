/** An application that is put together or used in a way that can't work. */
export class ApplicationError extends Error {
	override readonly name = 'ApplicationError';
}
