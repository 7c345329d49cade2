import { inspect } from 'node:util';
import type { LogDetails } from '../logger.ts';
import { cut } from '../protocol/show.ts';
import { escapeText } from './escape-text.ts';

/** The maximum size of a line, in bytes. */
export const LONGEST_LINE_BYTES = 4_096;

/** The maximum length of a message, in UTF-16 units. */
const LONGEST_MESSAGE = 1_024;
/** The maximum length of one detail, in UTF-16 units. */
const LONGEST_DETAIL = 1_024;
/** The maximum length of a detail that is an error, in UTF-16 units. */
const LONGEST_ERROR = 3_072;
/** How many of an error's latest calls are shown. */
const MAX_CALLS = 6;
/** How many of each cause's latest calls are shown. */
const MAX_CALLS_OF_CAUSE = 2;
const MAX_CAUSES = 3;

const encoder = new TextEncoder();
const buffer = new Uint8Array(LONGEST_LINE_BYTES);

/** Formats a log line as a single printable line of bounded length. Never throws, whatever the details are. */
export function formatLine(message: unknown, details?: LogDetails): string {
	let line = escapeText(cut(String(message), LONGEST_MESSAGE));
	for (const [key, value] of entriesOf(details)) {
		// The line is cut at the end, so there is no point in formatting more.
		if (line.length > LONGEST_LINE_BYTES) break;
		if (value !== undefined) line += ` ${escapeText(cut(key))}=${escapeText(format(value))}`;
	}
	return cutToBytes(line);
}

function entriesOf(details: LogDetails | undefined): readonly [string, unknown][] {
	try {
		return details === undefined ? [] : Object.entries(details);
	} catch {
		// A proxy or a getter can throw.
		return [['details', '{…}']];
	}
}

function format(value: unknown): string {
	try {
		if (typeof value === 'string') return JSON.stringify(cut(value, LONGEST_DETAIL));
		if (value instanceof Error) return cut(formatError(value, MAX_CALLS, MAX_CAUSES), LONGEST_ERROR);
		const shown = inspect(value, {
			breakLength: Infinity,
			compact: true,
			customInspect: false,
			depth: 3,
			maxArrayLength: 20,
			maxStringLength: LONGEST_DETAIL,
		});
		return cut(shown, LONGEST_DETAIL);
	} catch {
		return '{…}';
	}
}

/** Shows an error as its name, message, latest calls and causes. */
function formatError(error: Error, maxCalls: number, causes: number): string {
	const { stack = '', cause } = error;
	// Any code may have thrown the error, and its message may not be a string.
	const thrown: { readonly message: unknown } = error;
	const message = String(thrown.message);
	// The stack begins with the message, which may contain lines that look like calls.
	const head = stack.indexOf(message);
	const calls = stack
		.slice(head < 0 ? 0 : head + message.length)
		.split('\n')
		.filter((line) => /^\s+at /.test(line))
		.slice(0, maxCalls);
	const shown = [`${error.name}: ${cut(message, LONGEST_DETAIL / 2)}`, ...calls.map((call) => call.trim())].join(' ');
	if (cause === undefined || causes === 0) return shown;
	return `${shown} caused by ${cause instanceof Error ? formatError(cause, MAX_CALLS_OF_CAUSE, causes - 1) : format(cause)}`;
}

function cutToBytes(line: string): string {
	// A UTF-16 unit has at most 3 bytes in UTF-8.
	if (line.length * 3 <= LONGEST_LINE_BYTES) return line;
	const { read } = encoder.encodeInto(line, buffer);
	if (read === line.length) return line;
	const { read: kept } = encoder.encodeInto(line, buffer.subarray(0, LONGEST_LINE_BYTES - ELLIPSIS_BYTES));
	return `${line.slice(0, kept)}…`;
}

const ELLIPSIS_BYTES = 3;
