import { DEEPEST, encodeValues } from './carried-values.ts';
import { UnsupportedValueError } from './errors.ts';

/**
 * The maximum length of the paths to all dates and bytes in data, in characters. Each path is written in full, so
 * without a limit a few long keys, which a client may have chosen, could make a small message huge.
 */
const LONGEST_PATHS = 2 ** 22;
const TOO_LONG = 'the paths to its dates and bytes are longer than 4 MiB in all';

/**
 * Encodes a frame of the server.
 *
 * @param messageName for the error
 * @throws {UnsupportedValueError} `data` has a value that can't be sent
 */
export function encodeFrame(messageName: string, frame: Readonly<Record<string, unknown>>): string {
	const { data } = frame;
	// This is much cheaper, and most data is plain.
	if (data === undefined || isPlainJson(data, DEEPEST)) return JSON.stringify(frame);
	let room = LONGEST_PATHS;
	return encodeValues(
		frame,
		(reason) => new UnsupportedValueError(messageName, room < 0 ? TOO_LONG : reason),
		(path) => {
			if ((room -= path.join().length) < 0) throw new RangeError();
		},
	);
}

/** Whether `JSON.stringify` alone keeps a value as it is. Allocates nothing, because it runs for every message. */
function isPlainJson(value: unknown, depth: number): boolean {
	if (isPrimitive(value)) return true;
	if (typeof value !== 'object' || value === null || depth === 0) return false;
	// Also one that can't be enumerated, or that a script has given to all objects or arrays.
	if (typeof (value as { readonly toJSON?: unknown }).toJSON === 'function') return false;
	const prototype: unknown = Object.getPrototypeOf(value);
	if (prototype === Array.prototype) {
		for (const item of value as unknown[]) if (!isPrimitive(item) && !isPlainJson(item, depth - 1)) return false;
		return true;
	}
	if (prototype !== Object.prototype && prototype !== null) return false;
	for (const key in value) {
		const item = (value as Record<string, unknown>)[key];
		if (item !== undefined && !isPrimitive(item) && !isPlainJson(item, depth - 1)) return false;
	}
	return true;
}

function isPrimitive(value: unknown): boolean {
	return typeof value === 'string' || typeof value === 'boolean' || value === null || Number.isFinite(value);
}
