import { cut, show as showBriefly } from '../protocol/show.ts';
import { escapeText } from './escape-text.ts';

/** Formats any value for an error message: short, printable and on one line. Never throws, whatever the value is. */
export function show(value: unknown): string {
	if ((typeof value !== 'object' && typeof value !== 'function') || value === null) {
		return escapeText(showBriefly(value));
	}
	return escapeText(typeOf(value));
}

function typeOf(value: object): string {
	try {
		if (Array.isArray(value)) return '[…]';
		if (typeof value === 'function') return isClass(value) ? `class ${cut(value.name)}` : 'a function';
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
