import { describe, expect, it } from 'vitest';
import { ApplicationError } from '../index.ts';
import { originCheck } from './origin.ts';

describe('without allowedOrigins', () => {
	const mayConnect = originCheck(undefined);

	it.each([
		['http://localhost:3000', 'localhost:3000'],
		['https://app.example.com', 'app.example.com'],
		['https://app.example.com', 'App.Example.COM'],
		['https://app.example.com', 'app.example.com:443'],
		['http://app.example.com', 'app.example.com:80'],
		['https://app.example.com:8443', 'app.example.com:8443'],
		['http://[::1]:3000', '[::1]:3000'],
		['http://127.0.0.1:3000', '127.0.0.1:3000'],
	])('a page of %s may connect to %s', (origin, host) => {
		expect(mayConnect(origin, host)).toBe(true);
	});

	it.each([
		['https://evil.example', 'app.example.com'],
		['http://localhost:3001', 'localhost:3000'],
		['http://localhost', 'localhost:3000'],
		['http://localhost:3000', 'localhost'],
		['http://127.0.0.1:3000', 'localhost:3000'],
		['https://app.example.com', 'app.example.com:80'],
		['http://app.example.com', 'app.example.com:443'],
		['https://sub.app.example.com', 'app.example.com'],
		['https://example.com', 'app.example.com'],
		['https://app.example.com.evil.com', 'app.example.com'],
		['https://app.example.com@evil.com', 'app.example.com'],
		['null', 'app.example.com'],
		['null', 'null'],
		['', ''],
		['file://', ''],
		['https://app.example.com', ''],
		['https://app.example.com', 'app.example.com:99999'],
		['https://app.example.com', 'not a host'],
		['app.example.com', 'app.example.com'],
		['https://app.example.com', null],
		['not an origin', 'app.example.com'],
	])('a page of %j may not connect to %j', (origin, host) => {
		expect(mayConnect(origin, host)).toBe(false);
	});

	it('the scheme is not compared, because a proxy may have terminated TLS', () => {
		expect(mayConnect('https://app.example.com', 'app.example.com')).toBe(true);
		expect(mayConnect('http://app.example.com', 'app.example.com')).toBe(true);
	});
});

describe('allowedOrigins', () => {
	it('are compared as a whole: scheme, host and port', () => {
		const mayConnect = originCheck(['https://app.example.com', 'http://localhost:5173']);

		expect(mayConnect('https://app.example.com', null)).toBe(true);
		expect(mayConnect('http://localhost:5173', null)).toBe(true);
		for (const other of [
			'http://app.example.com',
			'https://app.example.com:8443',
			'https://app.example.com.evil.com',
			'https://xapp.example.com',
			'https://example.com',
			'http://localhost',
			'null',
			'',
		]) {
			expect([other, mayConnect(other, null)]).toEqual([other, false]);
		}
	});

	it('replace the default: the server’s own origin must be listed as well', () => {
		expect(originCheck(['https://other.example'])('https://app.example.com', 'app.example.com')).toBe(false);
	});

	it('may be empty: then no page may connect', () => {
		expect(originCheck([])('https://app.example.com', 'app.example.com')).toBe(false);
	});

	it('allow every origin with *, the null origin included', () => {
		const mayConnect = originCheck(['*']);

		for (const origin of ['https://evil.example', 'null', '']) expect(mayConnect(origin, null)).toBe(true);
	});
});

describe('a wildcard in allowedOrigins', () => {
	const mayConnect = originCheck(['https://*.example.com', 'https://*.dev.example:8443']);

	it.each([
		'https://a.example.com',
		'https://a.b.example.com',
		'https://evil-example.com.example.com',
		'https://x.dev.example:8443',
	])('allows the subdomain %s', (origin) => {
		expect(mayConnect(origin, null)).toBe(true);
	});

	it.each([
		'https://example.com',
		'https://.example.com',
		'https://evil-example.com',
		'https://evilexample.com',
		'https://a.example.com.evil.com',
		'https://a.example.comevil',
		'https://a.example.com:8443',
		'http://a.example.com',
		'wss://a.example.com',
		'ahttps://a.example.com',
		'https://x.dev.example',
		'https://x.dev.example:84430',
		'null',
	])('does not allow %s', (origin) => {
		expect(mayConnect(origin, null)).toBe(false);
	});
});

describe('an invalid list of origins', () => {
	it.each<[unknown]>([
		['https://app.example.com'],
		[null],
		[{}],
		[[7]],
		[[null]],
		[['']],
		[['null']],
		[['app.example.com']],
		[['localhost:3000']],
		[['https://']],
		[['https://app.example.com/']],
		[['https://app.example.com/path']],
		[['https://App.example.com']],
		[['https://app.example.com:443']],
		[['https://user@app.example.com']],
		[['https://*']],
		[['https://app.*.com']],
		[['https://*.*.example.com']],
		[['https://*example.com']],
		[['*.example.com']],
		[['wss://app.example.com']],
		[['https://good.example', 'bad']],
	])('is refused with the rule: %j', (allowed) => {
		expect(() => originCheck(allowed)).toThrow(ApplicationError);
		expect(() => originCheck(allowed)).toThrow(
			"it lists origins as browsers send them, such as 'https://app.example.com'",
		);
	});
});
