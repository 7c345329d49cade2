import { HIGHEST_OFFSET, IDEMPOTENCY_MS, LEAST_READ, LONGEST_STEP } from '@orijs/websocket';
import { HISTORY_MARKER, HISTORY_VERSION } from '../wire/history-frame.ts';
import { RedisScript } from '../server/redis-script.ts';

/** The maximum number of expired entries removed when a topic begins, plus one. */
const MOST_FORGOTTEN = 8;

/** How many messages are read at a time if the size of all is bounded. */
const READ_AT_A_TIME = 16;

/**
 * Code shared by both scripts. A topic that has had a message has two keys. `meta` is a hash with these fields:
 *
 * - epoch
 * - after: see `Beginning`
 * - last: the last offset assigned
 * - total: the size in bytes of all messages of the epoch
 * - from, since: the fields c and t of the oldest stored message, or of an earlier one
 * - by0 to by1023, the slots of publishers: a publisher and its latest generation
 *
 * `log` is a stream of messages, whose ids are the offsets. A message has these fields:
 *
 * - p: the previous offset
 * - t: when the message was stored, in milliseconds
 * - c: the value of `total` before the message
 * - d: a byte for the kind, followed by the content
 *
 * Many topics share the key `begun`, a sorted set that holds the numbers under which they began, as scores:
 *
 * - the number of each topic, whose name is hashed
 * - `-`, with the highest number that has been forgotten, at first 0
 * - the store's id, with an infinite score
 *
 * A number is the time at which the topic began, or one more than the last number if that is higher. So numbers always
 * rise, even if the clock is set; they are then only forgotten earlier or later.
 *
 * In Lua, converting a number to text loses digits, even with `..`. Passing it as an argument of `redis.call` does not.
 */
const COMMON = `
local meta, log, begun = KEYS[1], KEYS[2], KEYS[3]
local epoch, after, last, total, from, since
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function whole(text)
	local number = tonumber(text)
	return number and number >= 0 and number % 1 == 0 and number
end

local function load()
	local known = redis.call('HMGET', meta, 'epoch', 'last', 'total', 'from', 'since', 'after')
	epoch, last, total, from, since = known[1], whole(known[2]), whole(known[3]), tonumber(known[4]), tonumber(known[5])
	after = whole(known[6])
	return epoch and last and total and from and since and after and last <= ${HIGHEST_OFFSET}
end

-- Returns the store's id and the last number.
local function count(proposed)
	local top = redis.call('ZRANGE', begun, -2, -1, 'WITHSCORES')
	if top[4] == 'inf' then return top[3], tonumber(top[2]) end
	redis.call('DEL', begun)
	redis.call('ZADD', begun, 0, '-', 'inf', proposed)
	return proposed, 0
end

local function topic()
	return redis.sha1hex(meta):sub(1, 16)
end

-- Returns the number under which the topic began or, if it is not known, the highest one that has been forgotten.
local function lastBegun()
	return tonumber(redis.call('ZSCORE', begun, topic()) or redis.call('ZSCORE', begun, '-'))
end

local function trim(over, bytes, ttl)
	local count = 1
	while over do
		local oldest = redis.call('XRANGE', log, '-', '+', 'COUNT', count)
		local gone
		over = #oldest == count
		from, since = total, now
		for _, entry in ipairs(oldest) do
			local at, before = tonumber(entry[2][4]), tonumber(entry[2][6])
			if total - before <= bytes and now - at <= ttl then
				from, since, over = before, at, false
				break
			end
			gone = entry[1]
		end
		if gone then redis.call('XTRIM', log, 'MINID', '=', (gone:gsub('0$', '1'))) end
		count = 16
	end
end

local function head(store)
	local start = struct.pack('>BBBc0d', ${HISTORY_MARKER}, ${HISTORY_VERSION}, #epoch, epoch, last)
	return start .. (store and struct.pack('>Bc0d', #store, store, after) or '\\0')
end

local function entry(offset, prev, at, content)
	return struct.pack('>dddI4', offset, prev, at, #content)
end
`;

/**
 * The first word of the error of an append that was refused because it came too late. The time on the server's clock
 * follows.
 */
export const LATE = 'LATE';

/**
 * The script that appends messages, and returns the time on the server's clock, the epoch and the last offset; only the
 * time if the idempotency key is known. It takes these KEYS: meta, log, begun,
 * and the idempotency key, if any. It takes these ARGV:
 *
 * - the channel
 * - an epoch, in case a new one is needed; it also becomes the id of a new store
 * - the seed for random steps
 * - size, bytes, ttlMs, rememberedMs
 * - the time on the server's clock after which the append is refused
 * - a slot, the publisher that uses it, and the publisher's generation
 * - the messages, each preceded by the byte of its kind
 *
 * If a publisher gives up a connection, its generation grows. An append of an earlier generation is refused if one of a
 * later generation has already taken effect. Most publishers stay in generation 0, which is not stored. If several
 * publishers share a slot, only the latest one is remembered.
 *
 * A script with a shebang line is refused as a whole if Redis is out of memory, has too few replicas or is a replica.
 * The script checks the permission to publish on the channel before it writes, so that no append takes effect in part.
 */
const append = (publish: 'publish' | 'spublish'): string => `#!lua
${COMMON}
if now > tonumber(ARGV[8]) then return redis.error_reply(string.format('${LATE} %.0f', now)) end
if KEYS[4] and redis.call('EXISTS', KEYS[4]) == 1 then return { now } end
local slot, publisher, generation = ARGV[9], ARGV[10], tonumber(ARGV[11])
local known = redis.call('HMGET', meta, slot)[1] or ''
local latest = known:sub(1, #publisher) == publisher and tonumber(known:sub(#publisher + 2)) or 0
if generation < latest then return redis.error_reply('OVERTAKEN a later append of the same publisher has already taken effect') end
local channel, size, bytes, ttl = ARGV[1], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
if not redis.acl_check_cmd('${publish}', channel, '') then
	return redis.error_reply('NOPERM this user has no permissions to publish to the channel of the topic')
end
local store
if not load() then
	local number
	store, number = count(ARGV[2])
	epoch, after, last, total, from, since = ARGV[2], lastBegun(), 0, 0, 0, now
	redis.call('DEL', log)
	redis.call('HSET', meta, 'epoch', epoch, 'after', after, 'last', last, 'total', total, 'from', from, 'since', since)
	-- Forgets old numbers, a few at a time.
	local oldest = redis.call('ZRANGE', begun, 0, ${MOST_FORGOTTEN}, 'WITHSCORES')
	local old = 1
	while old < ${MOST_FORGOTTEN} and tonumber(oldest[2 * old + 2]) < now - ARGV[7] do old = old + 1 end
	redis.call('ZREMRANGEBYRANK', begun, 0, old - 1)
	redis.call('ZADD', begun, oldest[2 * old], '-', math.max(now, number + 1), topic())
end
math.randomseed(ARGV[3])
local frame = { '' }
for i = 12, #ARGV do
	local content = ARGV[i]
	local prev = last
	last = last + math.random(1, ${LONGEST_STEP})
	redis.call('XADD', log, 'MAXLEN', '=', size, string.format('%.0f-0', last), 'p', prev, 't', now, 'c', total, 'd', content)
	total = total + #content - 1
	frame[#frame + 1] = entry(last, prev, now, content)
	frame[#frame + 1] = content
end
local fromBefore, sinceBefore = from, since
trim(total - from > bytes or now - since > ttl, bytes, ttl)
redis.call('HSET', meta, 'last', last, 'total', total)
if generation > latest then redis.call('HSET', meta, slot, publisher .. ' ' .. ARGV[11]) end
if from ~= fromBefore or since ~= sinceBefore then redis.call('HSET', meta, 'from', from, 'since', since) end
redis.call('PEXPIRE', meta, ARGV[7])
redis.call('PEXPIRE', log, ttl)
if KEYS[4] then redis.call('SET', KEYS[4], '', 'PX', ${IDEMPOTENCY_MS}) end
frame[1] = head(store)
redis.call('${publish}', channel, table.concat(frame))
return { now, epoch, last }
`;

/**
 * The script that reads messages, and returns a frame. It takes these KEYS: meta, log, begun. It takes these ARGV:
 *
 * - an id for the store, in case it has none
 * - size, bytes, ttlMs, rememberedMs
 * - the command that reads, with its start, end and limit
 * - the bound in bytes, or an empty text for no bound
 *
 * The script also runs when Redis is out of memory. For a topic that has had no message, it writes at most the id of
 * the store.
 */
const READ = `#!lua flags=allow-oom
${COMMON}
local known = load()
local store, number = count(ARGV[1])
if not known then
	epoch, last, after = string.format('%s.%.0f', store, number), 0, lastBegun()
	return head(store)
end
redis.call('XTRIM', log, 'MAXLEN', '=', ARGV[2])
trim(true, tonumber(ARGV[3]), tonumber(ARGV[4]))
redis.call('HSET', meta, 'from', from, 'since', since)
redis.call('PEXPIRE', meta, ARGV[5])
local frame = { head(store) }
if ARGV[9] == '0' then return frame[1] end
local start, left, bytes = ARGV[7], tonumber(ARGV[9]), tonumber(ARGV[10])
local found, size = {}, 0
while left > 0 do
	-- If there is a bound, reads a few messages at a time, because the others may be large.
	local count = bytes and math.min(left, ${READ_AT_A_TIME}) or left
	local part = redis.call(ARGV[6], log, start, ARGV[8], 'COUNT', count)
	left = #part == count and left - count or 0
	for _, message in ipairs(part) do
		found[#found + 1] = message
		size = size + #message[2][8] - 1
		if bytes and size > bytes and #found >= ${LEAST_READ} then
			left = 0
			break
		end
	end
	if left > 0 then start = '(' .. part[count][1] end
end
local first, final, step = 1, #found, 1
if ARGV[6] == 'XREVRANGE' then first, final, step = #found, 1, -1 end
for i = first, final, step do
	local fields = found[i][2]
	frame[#frame + 1] = entry(tonumber(found[i][1]:sub(1, -3)), tonumber(fields[2]), tonumber(fields[4]), fields[8])
	frame[#frame + 1] = fields[8]
end
return table.concat(frame)
`;

export const readScript: RedisScript = new RedisScript(READ);

export const appendScripts: Record<'publish' | 'spublish', RedisScript> = {
	publish: new RedisScript(append('publish')),
	spublish: new RedisScript(append('spublish')),
};
