import { DEEPEST } from './carried-values.ts';
import { cut, escapeText } from './show.ts';

/** What a member's info can have, for errors. */
const ALLOWED = 'only text, finite numbers, booleans, null, arrays and plain objects are allowed';

/**
 * Returns a copy of a member's info, so that what is done to the object later changes nothing. Properties that are
 * undefined are left out, as JSON does, except those of the info itself: in a change, they are to be removed.
 *
 * @param fail returns what is thrown if JSON does not carry a value as it is, such as a `Date` or `NaN`. The reason
 * says where it is, and what is allowed
 */
export function copyOfInfo(info: object, fail: (reason: string) => Error): Record<string, unknown> {
	const path: string[] = ['info'];
	const parents: unknown[] = [];

	function refused(what: string): Error {
		return fail(`${cut(escapeText(path.join('.')), 200)} is ${what}: ${ALLOWED}`);
	}

	function copy(value: unknown, key: string): unknown {
		if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
		if (typeof value === 'number' && Number.isFinite(value)) return value;
		path.push(key);
		if (typeof value !== 'object') throw refused(nameOf(value));
		const copied = Array.isArray(value) ? copyArray(value) : copyObject(value);
		path.pop();
		return copied;
	}

	function copyArray(array: readonly unknown[]): unknown[] {
		enter(array);
		// Unlike `map`, this sees what is missing.
		const copied = Array.from(array, (value, i) => copy(value, String(i)));
		parents.pop();
		return copied;
	}

	function copyObject(object: object): Record<string, unknown> {
		if (!isPlain(object)) throw refused(`of type ${object.constructor?.name}`);
		enter(object);
		const entries = Object.entries(object).filter(([, value]) => value !== undefined || parents.length === 1);
		// Not by assignment, which a key such as `__proto__` would mislead.
		const copied = Object.fromEntries(
			entries.map(([key, value]) => [key, value === undefined ? undefined : copy(value, key)]),
		);
		parents.pop();
		return copied;
	}

	function enter(value: object): void {
		if (parents.includes(value)) throw refused('in itself');
		if (parents.length === DEEPEST) throw refused('nested too deeply');
		parents.push(value);
	}

	return copyObject(info);
}

/** Returns whether an object is neither an array nor an instance of a class. Each realm has its own `Object`. */
export function isPlain(value: object): boolean {
	if (Array.isArray(value)) return false;
	const prototype: unknown = Object.getPrototypeOf(value);
	return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function nameOf(value: unknown): string {
	return typeof value === 'number' || value === undefined ? String(value) : `a ${typeof value}`;
}
