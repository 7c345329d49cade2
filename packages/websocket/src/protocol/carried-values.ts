import { fromBase64, toBase64 } from './base64.ts';
import { cut, escapeText } from './show.ts';

/**
 * A place in a frame's `data` where text stands for a value that JSON lacks: `[kind, ...the keys that lead to it]`.
 *
 * - `date`: a `Date`, as `toISOString` writes it
 * - `uint8array`: a `Uint8Array`, as base64
 * - `arraybuffer`: an `ArrayBuffer`, as base64
 */
export type CarriedValue = readonly [kind: string, ...path: (string | number)[]];

/** A parsed frame. */
interface Carrying {
	readonly data?: unknown;
	/** Absent if the data has no such value. */
	readonly values?: readonly CarriedValue[];
}

/** The maximum depth of objects and arrays in data. */
export const DEEPEST = 1_000;

/**
 * Encodes a frame, with text in place of dates and bytes, and a list of their places if there are any.
 *
 * @param fail returns what is thrown if a value in `data` can't be sent. The reason says which one, and why, such as
 * `data.items.3.price is NaN`
 * @param onListed called with the path of each date or bytes; if it throws, the value is refused
 */
export function encodeValues(
	frame: Readonly<Record<string, unknown>>,
	fail: (reason: string) => Error,
	onListed?: (path: readonly string[]) => void,
): string {
	const carrying: { values: CarriedValue[] | undefined } = { ...frame, values: undefined };
	const parents: unknown[] = [];
	/** Begins with the keys of the frame, which is `''`, and of its data. */
	const path: string[] = [];
	// The reason unless a value is refused below: an invalid date, bytes that were transferred, or an object in itself.
	let fault = 'invalid or circular';

	function replacer(this: object, key: string): unknown {
		// Not the second argument, which `toJSON` may have converted.
		const value = (this as Record<string, unknown>)[key];
		path.length = parents.length = parents.indexOf(this) + 1;
		path.push(key);
		parents.push(value);
		const type = typeOf(value);
		if (KINDS.includes(type)) {
			onListed?.(path);
			// The list follows the data, so it is complete when its turn comes.
			(carrying.values ??= []).push([type, ...path.slice(2)]);
			return textOf(value as Date, type);
		}
		if (path.length > DEEPEST + 2) fault = 'nested too deeply';
		else if (!isSendable(value, type, this))
			fault = /^[nu]/.test(typeof value) ? (value as string) : `of type ${(value as object).constructor?.name}`;
		else return value;
		throw new TypeError();
	}

	try {
		return JSON.stringify(carrying, replacer);
	} catch {
		throw fail(`${cut(escapeText(path.slice(1).join('.')), 200)} is ${fault}`);
	}
}

/**
 * Puts the values that a parsed frame lists into its `data`, and removes the list. A list from an untrusted sender is
 * harmless: a path leads only to what the data itself has, and the work is proportional to the size of the frame.
 *
 * @throws {Error} the list is invalid
 */
export function restoreValues(frame: Carrying): void {
	if (frame.values === undefined) return;
	for (const [kind, ...path] of frame.values) {
		let parent = frame as Record<string | number, unknown>;
		let key: string | number = 'data';
		for (const next of path) {
			parent = parent[key] as typeof parent;
			if (!Object.hasOwn(parent, next)) throw new TypeError();
			key = next;
		}
		parent[key] = valueOf(kind, parent[key] as string);
	}
	delete (frame as { values?: unknown }).values;
}

const KINDS: readonly string[] = ['date', 'uint8array', 'arraybuffer'];

/** The type of a value, in lower case. Recognizes values of other realms too, such as frames of a page. */
function typeOf(value: unknown): string {
	if (typeof value !== 'object') return typeof value;
	return Object.prototype.toString.call(value).slice(8, -1).toLowerCase();
}

function isSendable(value: unknown, type: string, parent: object): boolean {
	if (type === 'number') return Number.isFinite(value);
	if (type === 'undefined') return !Array.isArray(parent);
	if (/^(string|boolean|null|array)$/.test(type)) return true;
	// Each realm has an `Object.prototype` of its own.
	return Object.getPrototypeOf(Object.getPrototypeOf(value) ?? Object.prototype) === null;
}

function textOf(value: Date | Uint8Array | ArrayBuffer, kind: string): string {
	// A copy of the bytes, which can't be made if they were transferred.
	return kind === 'date' ? new Date(+value).toISOString() : toBase64(new Uint8Array(value as ArrayBuffer));
}

function valueOf(kind: string, text: string): unknown {
	const value = kind === 'date' ? new Date(text) : fromBase64(text);
	// Only the text that `textOf` writes is valid. The parsers accept others as well.
	if (!KINDS.includes(kind) || textOf(value, kind) !== text) throw new TypeError();
	return kind === 'arraybuffer' ? (value as Uint8Array<ArrayBuffer>).buffer : value;
}
