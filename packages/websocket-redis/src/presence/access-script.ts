import { RedisScript } from '../server/redis-script.ts';
import type { Publish } from './topic-common.ts';

/** The commands that the scripts use, with the arguments after the key. */
const COMMANDS: readonly (readonly [name: string, ...args: string[]])[] = [
	['hmget', 'f'],
	['hset', 'f', 'v'],
	['hdel', 'f'],
	['hlen'],
	['hkeys'],
	['hgetall'],
	['hscan', '0'],
	['zadd', '0', 'm'],
	['zrem', 'm'],
	['zcard'],
	['zrange', '0', '-1'],
	['pexpire', '1'],
	['persist'],
	['del'],
];

/** The number of commands that use a key. */
export const KEY_COMMANDS: number = COMMANDS.length;

const needs = COMMANDS.map(([name, ...args]) => {
	const rest = args.map((arg) => `, '${arg}'`).join('');
	return `need('${name}', ARGV[1]${rest})`;
});

/**
 * The script that returns which commands are missing, or may not be used. ARGV: a key that the user must be able to
 * use, and a channel on which the user must be able to publish. The key is not one of KEYS, as the script could not be
 * run without permission for those.
 */
const access = (publish: Publish): string => `#!lua flags=no-writes
local missing = {}
local function need(name, ...)
	local isKnown, isAllowed = pcall(redis.acl_check_cmd, name, ...)
	if not (isKnown and isAllowed) then missing[#missing + 1] = name end
end
need('time')
need('${publish}', ARGV[2], '')
${needs.join('\n')}
return missing
`;

export const accessScripts: Record<Publish, RedisScript> = {
	publish: new RedisScript(access('publish')),
	spublish: new RedisScript(access('spublish')),
};
