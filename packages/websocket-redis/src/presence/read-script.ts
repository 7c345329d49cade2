import { RedisScript } from '../server/redis-script.ts';
import { FLAGS_OFFSET, ORDERED, STATE, STATE_BYTES } from './layout.ts';

/**
 * The script that reads a topic: see `layout.ts`. KEYS: the members, and their order. ARGV: the key after which to
 * read, or an empty text, and the most members; 0 for only the state.
 *
 * Returns the state or nothing; whether what follows is a page; then fields and values, one after the other. These are
 * the leases, and the members of the page, with one more if there are more. If it is no page, they are all fields, in
 * no order. Returns only the state if the key of the members holds something else, with -1.
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
local held = state and (#state - ${STATE_BYTES}) / 2 or -1
if held >= 0 and state:byte(${FLAGS_OFFSET + 1}) >= ${ORDERED}
	and redis.pcall('ZCARD', order) == redis.call('HLEN', members) - 1 - held then
	local from = ARGV[1] == '' and '-' or '(' .. ARGV[1]
	local keys = redis.call('ZRANGE', order, from, '+', 'BYLEX', 'LIMIT', 0, limit + 1)
	for at = ${STATE_BYTES + 1}, #state - 1, 2 do table.insert(keys, STATE .. state:sub(at, at + 1)) end
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
