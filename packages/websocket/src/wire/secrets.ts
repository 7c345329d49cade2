import { InvalidOptionError } from '../errors.ts';
import { show } from '../support/show.ts';
import { FrameSignatures } from './signature.ts';

/** What nodes sign frames with: text (as UTF-8) or bytes. */
export type Secret = string | Uint8Array;

const LEAST_LENGTH = 32;

/**
 * Returns the signatures that the options of a provider call for; undefined without a secret.
 *
 * @throws {InvalidOptionError}
 */
export function signaturesOf(options: {
	readonly secret?: unknown;
	readonly acceptUnsigned?: unknown;
}): FrameSignatures | undefined {
	const { secret, acceptUnsigned } = options;
	if (acceptUnsigned !== undefined && typeof acceptUnsigned !== 'boolean')
		throw new InvalidOptionError(`acceptUnsigned must be true or false, not ${show(acceptUnsigned)}`);
	// An environment variable that is not set must not turn signatures off.
	if (secret === undefined && Object.hasOwn(options, 'secret'))
		throw new InvalidOptionError('secret is undefined; leave the option out if nothing is to be signed');
	if (secret !== undefined) return new FrameSignatures(secretsOf(secret), acceptUnsigned === true);
	if (acceptUnsigned === true) throw new InvalidOptionError('acceptUnsigned needs a secret');
	return undefined;
}

/**
 * Returns copies of the secrets of an option: one, or a list of which the first signs.
 *
 * @throws {InvalidOptionError} it is neither, or too short; the message does not show it
 */
function secretsOf(option: unknown): readonly Buffer[] {
	const list: readonly unknown[] = Array.isArray(option) ? option : [option];
	if (list.length === 0) throw new InvalidOptionError('secret must not be an empty list');
	return list.map(secretOf);
}

function secretOf(value: unknown): Buffer {
	const isText = typeof value === 'string';
	if (!isText && !(value instanceof Uint8Array)) {
		throw new InvalidOptionError(
			`secret must be a string or a Uint8Array of at least ${LEAST_LENGTH} characters or bytes, or a list of those, ` +
				`not ${typeof value === 'number' ? 'a number' : show(value)}`,
		);
	}
	if (value.length < LEAST_LENGTH) {
		const unit = isText ? 'characters' : 'bytes';
		throw new InvalidOptionError(`secret must have at least ${LEAST_LENGTH} ${unit}, not ${value.length}`);
	}
	return Buffer.from(value as string);
}
