/** Thrown when the application is configured or used incorrectly. */
export class ApplicationError extends Error {
	override readonly name = 'ApplicationError';
}
