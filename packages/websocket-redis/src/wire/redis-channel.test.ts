import { describe, expect, it } from 'vitest';
import { channelPrefix } from './redis-channel.ts';

const PREFIXES = ['app', 'app.x', 'app-x', 'app_3', 'a', 'x', '3', '.'];
const DATABASES = [0, 1, 3, 13];
const CHANNELS = ['t', 'x:t', '3:t', ':', '::t', 'app:t', 'a:x', '*', '!', '!3', '!history', '@x', '@3:t'];

describe('the names of channels on Redis', () => {
	it('are as documented', () => {
		expect([channelPrefix('orijs', 0), channelPrefix('orijs', 3)]).toEqual(['orijs:', 'orijs:#3:']);
	});

	it('differ for every prefix, database and channel', () => {
		const names = PREFIXES.flatMap((prefix) =>
			DATABASES.flatMap((db) => CHANNELS.map((channel) => channelPrefix(prefix, db) + channel)),
		);
		expect(new Set(names).size).toBe(PREFIXES.length * DATABASES.length * CHANNELS.length);
	});
});
