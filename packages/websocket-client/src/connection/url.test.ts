import { afterEach, describe, expect, it, vi } from 'vitest';
import { InvalidClientOptionError } from '../errors.ts';
import { endpointUrl } from './url.ts';

afterEach(() => vi.unstubAllGlobals());

it.each<[string | URL, string]>([
	['ws://example.com/ws', 'ws://example.com/ws'],
	['wss://example.com', 'wss://example.com/'],
	['http://example.com:8080/ws?room=1', 'ws://example.com:8080/ws?room=1'],
	['https://example.com/ws', 'wss://example.com/ws'],
	['HTTPS://EXAMPLE.com/http', 'wss://example.com/http'],
	[new URL('https://example.com/ws'), 'wss://example.com/ws'],
])('%s becomes %s', (url, full) => {
	expect(endpointUrl(url)).toBe(full);
});

it.each<[unknown, RegExp]>([
	['/ws', /must look like wss:\/\/example.com\/ws, not "\/ws"/],
	['', /must look like wss/],
	['example.com/ws', /must look like wss/],
	[undefined, /must look like wss/],
	['ftp://example.com/ws', /must begin with ws: or wss:, not ftp:/],
	['httpx://example.com/ws', /must begin with ws: or wss:, not httpx:/],
	['ws://example.com/ws#part', /must have no fragment, not #part/],
])('rejects %s, naming what is allowed', (url, message) => {
	expect(() => endpointUrl(url as string)).toThrow(InvalidClientOptionError);
	expect(() => endpointUrl(url as string)).toThrow(message);
});

describe('relative to a page', () => {
	it.each([
		['https://example.com/app/', '/ws', 'wss://example.com/ws'],
		['http://localhost:3000/app/index.html', 'ws', 'ws://localhost:3000/app/ws'],
		['https://example.com/app', '//other.example.com/ws', 'wss://other.example.com/ws'],
		['https://example.com/app#part', '/ws', 'wss://example.com/ws'],
	])('at %s, %s becomes %s', (href, url, full) => {
		vi.stubGlobal('location', { href });
		expect(endpointUrl(url)).toBe(full);
	});
});
