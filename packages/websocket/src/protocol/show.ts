const LONGEST_SHOWN = 64;

/** Formats any value for an error message: short and on one line. Never throws, whatever the value is. */
export function show(value: unknown): string {
	if (typeof value === 'string') {
		if (value.length <= LONGEST_SHOWN) return JSON.stringify(value);
		return `${JSON.stringify(cut(value))} (${value.length} characters)`;
	}
	if (typeof value === 'function') return isClass(value) ? `class ${cut(value.name)}` : 'a function';
	if (typeof value !== 'object' || value === null) return cut(String(value));
	try {
		if (Array.isArray(value)) return '[…]';
		const name: unknown = value.constructor?.name ?? 'Object';
		return typeof name !== 'string' || name === 'Object' ? '{…}' : `${cut(name)} {…}`;
	} catch {
		// A proxy or a getter can throw.
		return '{…}';
	}
}

function isClass(value: object): boolean {
	return Function.prototype.toString.call(value).startsWith('class');
}

function cut(text: string): string {
	return text.length <= LONGEST_SHOWN ? text : `${text.slice(0, LONGEST_SHOWN)}…`;
}
