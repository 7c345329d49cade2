import { describe, expect, it } from 'vitest';
import { formatLine, LONGEST_LINE_BYTES } from './log-line.ts';

const bytes = (text: string): number => new TextEncoder().encode(text).byteLength;

/** All characters that end a line, hide text or change its direction. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

it('a line has its message and details', () => {
	expect(formatLine('It failed', { topic: 'a:b', count: 3, none: undefined, is: true, list: [1, 'x'] })).toBe(
		`It failed topic="a:b" count=3 is=true list=[ 1, 'x' ]`,
	);
});

it('an error is shown with its name, message, calls and causes, on the same line', () => {
	const line = formatLine('It failed', {
		err: new TypeError('no\nway', { cause: new Error('why', { cause: 'text' }) }),
	});

	expect(line).toMatch(/^It failed err=TypeError: no\\u\{a\}way at .*log-line\.test\.ts.* caused by Error: why at /);
	expect(line).toMatch(/ caused by "text"$/);
});

it('the calls of an error come from its stack, not from its message', () => {
	const forged = Array.from({ length: 20 }, (_, i) => `\n    at forged${i} (/app.ts:1:1)`).join('');
	const line = formatLine('It failed', { err: new Error(`no${forged}`, { cause: new Error(forged) }) });

	expect(line).toMatch(/ at (?!forged)[^ ]*.*log-line\.test\.ts.* caused by .* at (?!forged)[^ ]*.*log-line\.test\.ts/);
	expect(line.match(/(?<!\\u\{a\} {4})at forged/)).toBeNull();
});

it('an error whose causes form a cycle is cut short', () => {
	const error = new Error('again');
	error.cause = error;
	expect(formatLine('x', { err: error }).match(/again/g)).toHaveLength(4);
});

describe('a line is printable', () => {
	const evil = '\r\n\u001b[31m\u009b2J\u007f\u2028\u2029\u202e\u2066\u200b\ufeff';

	it.each<[string, object]>([
		['in a text', { a: evil }],
		['in a key', { [evil]: 1 }],
		['in a nested object', { a: { [evil]: [evil] } }],
		['in an error', { err: new Error(evil) }],
		['in the name of an error', { err: Object.assign(new Error('x'), { name: evil }) }],
		['in a cause', { err: new Error('x', { cause: evil }) }],
		['in a symbol', { a: Symbol(evil) }],
	])('whatever is %s', (_, details) => {
		const line = formatLine(evil, details as Record<string, unknown>);
		expect(line).not.toMatch(UNPRINTABLE);
		expect(line).toContain(String.raw`\u{1b}[31m`);
	});
});

describe('a line has at most 4 KiB', () => {
	const long = 'x'.repeat(1_000_000);

	it.each<[string, string, object]>([
		['a long message', long, {}],
		['a long detail', 'x', { a: long }],
		['a long key', 'x', { [long]: 1 }],
		['many details', 'x', Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`k${i}`, long.slice(0, 900)]))],
		['a long list', 'x', { a: Array.from({ length: 100_000 }, () => long) }],
		['an error with a long message', 'x', { err: new Error(long) }],
		['text of 3 bytes each', '漢'.repeat(10_000), { a: '漢'.repeat(10_000), b: '漢'.repeat(10_000) }],
		['text of 4 bytes each', '🙂'.repeat(10_000), { a: '🙂'.repeat(10_000), b: '🙂'.repeat(10_000) }],
		['text that is escaped', '\u202e'.repeat(10_000), { a: '\0'.repeat(10_000) }],
	])('with %s', (_, message, details) => {
		expect(bytes(formatLine(message, details as Record<string, unknown>))).toBeLessThanOrEqual(LONGEST_LINE_BYTES);
	});
});

describe('a line is written although its details cannot be inspected', () => {
	const fail = (): never => {
		throw new Error('hostile');
	};
	const { proxy, revoke } = Proxy.revocable({}, {});
	revoke();

	it.each<[string, object]>([
		['a getter that throws', Object.defineProperty({}, 'a', { get: fail, enumerable: true })],
		['a revoked proxy', { a: proxy }],
		['details that are a revoked proxy', proxy],
		['an error whose message throws', { err: Object.defineProperty(new Error('x'), 'message', { get: fail }) }],
		['an error whose stack is not a string', { err: Object.assign(new Error('x'), { stack: 7 }) }],
		['an object that inspects itself', { a: { [Symbol.for('nodejs.util.inspect.custom')]: fail } }],
	])('%s', (_, details) => {
		expect(formatLine('It failed', details as Record<string, unknown>)).toMatch(/^It failed /);
	});
});
