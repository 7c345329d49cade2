import { afterEach, describe, expect, it, vi } from 'vitest';
import { InvalidClientOptionError } from '../errors.ts';
import { endpointUrl } from './url.ts';

afterEach(() => vi.unstubAllGlobals());

it.each<[string | URL, string]>([
	['ws://example.com/ws', 'ws://example.com/ws'],
	['wss://example.com', 'wss://example.com'],
	['http://example.com:8080/ws?room=1', 'ws://example.com:8080/ws?room=1'],
	['https://example.com/ws', 'wss://example.com/ws'],
	['HTTPS://EXAMPLE.com/http', 'wss://example.com/http'],
	[new URL('https://example.com/ws'), 'wss://example.com/ws'],
])('%s becomes %s', (url, full) => {
	expect(endpointUrl(url)).toBe(full);
});

it.each([
	'',
	undefined,
	null,
	'ftp://example.com/ws',
	'httpx://example.com/ws',
	'localhost:3000/ws',
	'ws://example.com/ws#part',
	'ws://example.com:port/ws',
	'ws://',
])('rejects %s, naming what is allowed', (url) => {
	const read = (): string => endpointUrl(url as string);
	expect(read).toThrow(InvalidClientOptionError);
	expect(read).toThrow(`must be like wss://example.com/ws, without #, not "${url}"`);
});

it('where there is no page, a relative URL stays as it is, unless it must be full', () => {
	for (const url of ['/ws', 'ws', '//example.com/ws', 'example.com/ws', '/ws?from=http://example.com']) {
		expect(endpointUrl(url)).toBe(url);
		expect(() => endpointUrl(url, true)).toThrow(`must be like wss://example.com/ws, without #, not "${url}"`);
	}
	expect(endpointUrl('wss://example.com/ws', true)).toBe('wss://example.com/ws');
});

describe('relative to a page', () => {
	it.each([
		['https://example.com/app/', '/ws', 'wss://example.com/ws'],
		['http://localhost:3000/app/index.html', 'ws', 'ws://localhost:3000/app/ws'],
		['https://example.com/app', '//other.example.com/ws', 'wss://other.example.com/ws'],
		['https://example.com/app#part', '/ws', 'wss://example.com/ws'],
		['http://localhost:3000/app', 'wss://example.com/ws', 'wss://example.com/ws'],
	])('at %s, %s becomes %s', (href, url, full) => {
		vi.stubGlobal('location', { href });
		expect(endpointUrl(url)).toBe(full);
	});

	it('rejects a fragment, and what the page has no base for', () => {
		vi.stubGlobal('location', { href: 'https://example.com/app' });
		expect(() => endpointUrl('/ws#part')).toThrow('without #, not "/ws#part"');
		vi.stubGlobal('location', { href: 'about:blank' });
		expect(() => endpointUrl('/ws')).toThrow('must be like wss://example.com/ws, without #, not "/ws"');
	});
});
