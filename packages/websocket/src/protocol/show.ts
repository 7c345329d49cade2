const LONGEST_SHOWN = 64;

/** A value as it can stand in a message: short, on one line, with its type when it is no string. */
export function show(value: unknown): string {
	if (typeof value === 'string') {
		const whole = value.length <= LONGEST_SHOWN;
		return whole ? JSON.stringify(value) : `${JSON.stringify(cut(value))} (${value.length} characters)`;
	}
	if (typeof value === 'object' && value !== null) return `(${kindOf(value)})`;
	if (typeof value === 'function') return '(function)';
	return `(${cut(String(value))})`;
}

/** What the value is an instance of, as far as it says so: it may come from anywhere and say anything. */
function kindOf(value: object): string {
	try {
		const { name } = value.constructor;
		return typeof name === 'string' ? cut(name) : 'object';
	} catch {
		return 'object';
	}
}

function cut(text: string): string {
	return text.length <= LONGEST_SHOWN ? text : `${text.slice(0, LONGEST_SHOWN)}…`;
}
