import { expect, it } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { VERSION } from './version.ts';

it('the version that a node tells others is that of its package', () => {
	expect(VERSION).toBe(manifest.version);
});
