const LONGEST_SHOWN = 64;

/** A value as it can stand in an error message: short, and on one line. */
export function show(value: unknown): string {
	if (typeof value === 'string') {
		return JSON.stringify(value.length <= LONGEST_SHOWN ? value : `${value.slice(0, LONGEST_SHOWN)}…`);
	}
	if (typeof value === 'function') return isClass(value) ? `class ${value.name}` : 'a function';
	if (typeof value !== 'object' || value === null) return String(value);
	try {
		if (Array.isArray(value)) return '[…]';
		const name = value.constructor?.name ?? 'Object';
		return name === 'Object' ? '{…}' : `${name} {…}`;
	} catch {
		// It may be anything, and not want to be looked at.
		return '{…}';
	}
}

function isClass(value: object): boolean {
	return Function.prototype.toString.call(value).startsWith('class');
}
