import { RedisScript } from '../server/redis-script.ts';
import { FLAGS_OFFSET, ORDERED, STATE } from './layout.ts';

/**
 * The script that reads a topic: see `layout.ts`. KEYS: the members, and their order. ARGV: the key after which to read,
 * or an empty text, and the most members; 0 for only the state.
 *
 * Returns the state or nothing; whether what follows is a page; then keys and values, one after the other. A page has one
 * member more, if there are more. If it is no page, it is all fields, in no order. Returns only the state if the key of
 * the members holds something else.
 */
const READ = `#!lua flags=no-writes
local members, order = KEYS[1], KEYS[2]
local STATE, limit = '\\${STATE}', tonumber(ARGV[2])
local known = redis.pcall('HMGET', members, STATE)
if known.err then
	if known.err:find('WRONGTYPE', 1, true) then return { false, -1 } end
	return known
end
local state = known[1]
if limit == 0 then return { state, 1 } end
if state and (state:byte(${FLAGS_OFFSET + 1}) or 0) >= ${ORDERED}
	and redis.pcall('ZCARD', order) == redis.call('HLEN', members) - 1 then
	local from = ARGV[1] == '' and '-' or '(' .. ARGV[1]
	local keys = redis.call('ZRANGE', order, from, '+', 'BYLEX', 'LIMIT', 0, limit + 1)
	local page = { state, 1 }
	if keys[1] then
		for i, value in ipairs(redis.call('HMGET', members, unpack(keys))) do
			page[2 * i + 1], page[2 * i + 2] = keys[i], value
		end
	end
	return page
end
local all = redis.call('HGETALL', members)
table.insert(all, 1, 0)
table.insert(all, 1, state)
return all
`;

export const readScript: RedisScript = new RedisScript(READ);
