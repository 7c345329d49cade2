import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { InvalidClientOptionError } from '../errors.ts';
import { REACT_NATIVE_RELEASES, reactNativeUrl } from '../test-support/react-native-url.ts';
import { endpointUrl } from './url.ts';

const ensure = join(import.meta.dirname, '../../../../scripts/ensure-react-native-urls.ts');

beforeAll(() => {
	const { status, stderr } = spawnSync(process.execPath, [ensure], { encoding: 'utf8', timeout: 60_000 });
	if (status !== 0) throw new Error(`${ensure} failed: ${stderr}`);
}, 70_000);
afterEach(() => void vi.unstubAllGlobals());

async function useUrlOf(release: string): Promise<void> {
	const { URL } = await import(/* @vite-ignore */ reactNativeUrl(release));
	vi.stubGlobal('URL', URL);
}

describe.each(REACT_NATIVE_RELEASES)('with the URL class of React Native %s', (release) => {
	it.each([
		['ws://10.0.2.2:3000/ws', 'ws://10.0.2.2:3000/ws'],
		['wss://example.com/ws', 'wss://example.com/ws'],
		['wss://example.com/ws/', 'wss://example.com/ws/'],
		['wss://example.com', 'wss://example.com'],
		['wss://example.com/ws?room=1&name=a%20b', 'wss://example.com/ws?room=1&name=a%20b'],
		['wss://example.com/ws?next=/home', 'wss://example.com/ws?next=/home'],
		['http://localhost:8080/ws', 'ws://localhost:8080/ws'],
		['https://example.com:8443/ws', 'wss://example.com:8443/ws'],
	])('%s becomes %s', async (url, full) => {
		await useUrlOf(release);
		expect(endpointUrl(url, true)).toBe(full);
	});

	it.each(['ftp://example.com/ws', 'localhost:3000/ws', 'ws://example.com/ws#part', 'ws://example.com#part', 'ws:#'])(
		'%s is rejected',
		async (url) => {
			await useUrlOf(release);
			expect(() => endpointUrl(url)).toThrow(InvalidClientOptionError);
			expect(() => endpointUrl(url)).toThrow(`must be like wss://example.com/ws, without #, not "${url}"`);
		},
	);

	it('a relative URL stays as it is, but is not enough to connect', async () => {
		await useUrlOf(release);
		expect(endpointUrl('/ws')).toBe('/ws');
		expect(() => endpointUrl('/ws', true)).toThrow(InvalidClientOptionError);
	});
});

it('the releases differ as the client expects', async () => {
	const seen: Record<string, unknown[]> = {};
	for (const release of REACT_NATIVE_RELEASES) {
		await useUrlOf(release);
		const url = new URL('wss://example.com/ws');
		const protocol = (): string => {
			try {
				return url.protocol;
			} catch {
				return 'throws';
			}
		};
		seen[release] = [url.href, protocol()];
	}
	expect(seen).toEqual({
		'0.72.17': ['wss://example.com/ws/', 'throws'],
		'0.79.7': ['wss://example.com/ws/', 'throws'],
		'0.83.10': ['wss://example.com/ws/', 'wss:'],
		'0.88.1': ['wss://example.com/ws', 'wss:'],
	});
});
