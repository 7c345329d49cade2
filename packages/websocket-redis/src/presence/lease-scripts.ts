import { CLAIMED_MS, RELEASED_QUIET_MS, VERSION_KEPT_MS } from '@orijs/websocket';
import { RedisScript } from '../server/redis-script.ts';
import { NO_LEASE } from './apply-script.ts';

/** The most leases that are handed out at a time. */
const MAX_HANDED_OUT = 10;

/** The flag of a lease that has been handed out to be swept. */
const HANDED_OUT = 1;
/** The flag of a lease that was released. */
const RELEASED = 2;
/** The flag of a lease that was found by its records, after it was lost. It does not hold. */
const FOUND = 4;
/** After which time such a lease is handed out, in milliseconds: its node takes a new one meanwhile. */
const FOUND_MS = 10_000;

/**
 * Code shared by the scripts of leases. KEYS:
 *
 * - order: a sorted set of leases. A lease is its node (16 bytes) and generation (f64). The score is when it may be
 *   handed out, by the server's clock in milliseconds. A node alone means that what is known of it can be forgotten
 *   then
 * - leases: a hash. The field of a lease holds its flags (u8) and, if it was released, when it ends (f64). The field of
 *   a node holds its latest generation and the latest one that was swept (f64, -1 for none). The field `state` holds
 *   when a lease was last renewed, and from when on leases are handed out (f64)
 * - topics: a hash of the topics in which a node may have records. The value is the generation (f64) that registered
 *   the topic last, and a number that it gave (u48)
 *
 * ARGV[1] is a lease.
 *
 * In Lua, converting a number to text loses digits, even with `..`. Passing it as an argument of `redis.call` does not.
 */
const COMMON = `
local order, leases, topics = KEYS[1], KEYS[2], KEYS[3]
local own = ARGV[1]
local node, generation = own:sub(1, 16), struct.unpack('>d', own, 17)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- A key that another program has given another type is lost.
for i, command in ipairs({ 'ZCARD', 'HLEN', 'HLEN' }) do
	local size = redis.pcall(command, KEYS[i])
	if type(size) == 'table' and size.err:find('WRONGTYPE', 1, true) then redis.call('DEL', KEYS[i]) end
end

-- Returns a lease's flags, and when it ends; nothing if it is unknown.
local function read(lease)
	local value = redis.call('HMGET', leases, lease)[1]
	if value and #value == 9 then return struct.unpack('>Bd', value) end
end

local function generations()
	local value = redis.call('HMGET', leases, node)[1]
	if value and #value == 16 then return struct.unpack('>dd', value) end
	return -1, -1
end

local function forget(lease)
	redis.call('HDEL', leases, lease)
	redis.call('ZREM', order, lease)
	redis.call('ZADD', order, now + ${VERSION_KEPT_MS}, node)
end
`;

/**
 * The script that renews a lease: see `PresenceStore.renew`. Further ARGV: leaseMs; whether it is new, 1 or 0. Returns
 * 1 or 0, the time, the leases that are handed out, and those of them that were released.
 */
const RENEW = `#!lua flags=allow-oom
${COMMON}
local lasts, isNew = tonumber(ARGV[2]), ARGV[3] == '1'
local state = redis.call('HMGET', leases, 'state')[1]
local at, from
if state and #state == 16 then at, from = struct.unpack('>dd', state) end
-- The server was away, has lost its data, or its clock was set.
if not at or now < at or now - at > lasts / 2 then from = now + lasts end
if at and now < at then
	local all = redis.call('ZRANGE', order, 0, -1, 'WITHSCORES')
	for i = 1, #all, 2 do
		redis.call('ZADD', order, tonumber(all[i + 1]) + now - at, all[i])
		local flags, ends = read(all[i])
		if flags and ends > 0 then redis.call('HSET', leases, all[i], struct.pack('>Bd', flags, ends + now - at)) end
	end
end

local flags = read(own)
local isKept = flags == 0
if not flags and isNew then
	local latest, swept = generations()
	isKept = generation > swept and generation >= latest
	if isKept then
		-- This lease takes the place of the one before, unless that is to be swept.
		local earlier = node .. struct.pack('>d', latest)
		local known = read(earlier)
		if known == 0 or known == ${FOUND} then
			redis.call('HDEL', leases, earlier)
			redis.call('ZREM', order, earlier)
		end
		redis.call('HSET', leases, own, struct.pack('>Bd', 0, 0), node, struct.pack('>dd', generation, swept))
	end
end
if isKept then redis.call('ZADD', order, now + lasts, own) end
redis.call('HSET', leases, 'state', struct.pack('>dd', now, from))

local expired, released = {}, {}
local reply = { isKept and 1 or 0, now, expired, released }
if now < from - lasts + math.min(lasts, ${RELEASED_QUIET_MS}) then return reply end
-- Released leases may be behind others whose time has not come.
local isQuiet = now < from
local most = isQuiet and ${40 * MAX_HANDED_OUT} or ${4 * MAX_HANDED_OUT}
for _, lease in ipairs(redis.call('ZRANGE', order, '-inf', now, 'BYSCORE', 'LIMIT', 0, most)) do
	local known, ends = read(lease)
	local isReleased = known and known % ${2 * RELEASED} >= ${RELEASED}
	if known and lease ~= own then
		if isReleased or not isQuiet then
			redis.call('HSET', leases, lease, struct.pack('>Bd', known - known % 2 + ${HANDED_OUT}, ends))
			redis.call('ZADD', order, now + ${CLAIMED_MS}, lease)
			expired[#expired + 1] = lease
			if isReleased then released[#released + 1] = lease end
			if #expired == ${MAX_HANDED_OUT} then break end
		end
	elseif not known then
		redis.call('ZREM', order, lease)
		local last = redis.call('HMGET', leases, lease)[1]
		if last and #lease == 16 and (#last ~= 16 or not read(lease .. last:sub(1, 8))) then redis.call('HDEL', leases, lease) end
	end
end
return reply
`;

/** The script that releases a lease: see `PresenceStore.release`. Further ARGV: afterMs. */
const RELEASE = `#!lua flags=allow-oom
${COMMON}
if read(own) ~= 0 then return end
if redis.call('HLEN', topics) == 0 then
	forget(own)
else
	redis.call('HSET', leases, own, struct.pack('>Bd', ${RELEASED}, now + tonumber(ARGV[2])))
	redis.call('ZADD', order, now, own)
end
`;

/**
 * The script that registers topics in which a node may have records. Is refused if the lease does not hold. Further
 * ARGV: a number, then topics.
 */
const REGISTER = `#!lua
${COMMON}
if read(own) ~= 0 then return redis.error_reply('${NO_LEASE} the lease is unknown, or has been handed out to be swept') end
local fields, value = {}, struct.pack('>dI6', generation, tonumber(ARGV[2]))
for i = 3, #ARGV do
	fields[#fields + 1] = ARGV[i]
	fields[#fields + 1] = value
end
redis.call('HSET', topics, unpack(fields))
`;

/**
 * The script that lists topics in which a lease to be swept may have records. Further ARGV: a cursor, and about how
 * many.
 *
 * Returns 0 if it is not to be swept; 1 if all its records are, 2 if only those that have lingered for their time are;
 * then the time; when a released lease ends, or 0; the next cursor; and topics with their values.
 */
const WALK = `#!lua flags=allow-oom
${COMMON}
local flags, ends = read(own)
if not flags or flags % 2 == 0 then return { 0, now, 0, '0' } end
local latest, swept = generations()
if swept < generation then redis.call('HSET', leases, node, struct.pack('>dd', math.max(latest, generation), generation)) end
local found = redis.call('HSCAN', topics, ARGV[2], 'COUNT', ARGV[3])
return { ends > 0 and now < ends and 2 or 1, now, ends, found[1], unpack(found[2]) }
`;

/**
 * The script that removes topics in which a node no longer has records of a generation. Further ARGV: 1 if the lease is
 * done, as it has been swept; if not, but all its topics have been looked at, the time at which it is to be handed out
 * again; else 0. Then topics with their values: one that has been registered again meanwhile is kept.
 */
const UNREGISTER = `#!lua flags=allow-oom
${COMMON}
for i = 3, #ARGV, 2 do
	local value = redis.call('HMGET', topics, ARGV[i])[1]
	if value == ARGV[i + 1] and #value == 14 and struct.unpack('>d', value) <= generation then redis.call('HDEL', topics, ARGV[i]) end
end
local next, flags = tonumber(ARGV[2]), read(own)
if next == 0 or not flags or flags % 2 == 0 then return end
if next ~= 1 then return redis.call('ZADD', order, next, own) end
forget(own)
if generations() <= generation then redis.call('DEL', topics) end
`;

/**
 * The script that makes sure that a lease with records in a topic will be swept if it is unknown. Further ARGV: the
 * topic. Returns 1 if it is known, or a later one of its node is.
 */
const ADOPT = `#!lua flags=allow-oom
${COMMON}
local flags = read(own)
if flags and flags < ${FOUND} then return 1 end
if not flags then
	local latest, swept = generations()
	if latest > generation and read(node .. struct.pack('>d', latest)) then return 1 end
	redis.call('HSET', leases, own, struct.pack('>Bd', ${FOUND}, 0), node, struct.pack('>dd', math.max(latest, generation), swept))
	redis.call('ZADD', order, now + ${FOUND_MS}, own)
end
redis.call('HSET', topics, ARGV[2], struct.pack('>dI6', generation, 0))
return 0
`;

/**
 * The script that shows whether the server of a shard has lost its data. KEYS: a hash. ARGV: a value. Returns the value
 * that was given first.
 */
const MARK = `#!lua flags=allow-oom
local known = redis.call('HMGET', KEYS[1], 'id')[1]
if known then return known end
redis.call('HSET', KEYS[1], 'id', ARGV[1])
return ARGV[1]
`;

export const leaseScripts: Record<
	'renew' | 'release' | 'register' | 'walk' | 'unregister' | 'adopt' | 'mark',
	RedisScript
> = {
	renew: new RedisScript(RENEW),
	release: new RedisScript(RELEASE),
	register: new RedisScript(REGISTER),
	walk: new RedisScript(WALK),
	unregister: new RedisScript(UNREGISTER),
	adopt: new RedisScript(ADOPT),
	mark: new RedisScript(MARK),
};
