import { HIGHEST_OFFSET, IDEMPOTENCY_MS, LONGEST_STEP } from '@orijs/websocket';
import { HISTORY_MARKER, HISTORY_VERSION } from '../wire/history-frame.ts';
import { RedisScript } from './redis-script.ts';

/**
 * Code shared by both scripts. A topic has a hash `meta` (epoch; last: the last offset assigned; total: the size in
 * bytes of all messages of the epoch; from, since: `c` and `t` of the oldest stored message, or of an earlier one) and
 * a stream `log`. Its ids are the offsets, and its fields are p (the previous offset), t (when the message was stored,
 * in milliseconds), c (the total before the message) and d (a byte for the kind, followed by the content).
 *
 * In Lua, converting numbers to text loses digits, even with `..`; arguments of `redis.call` keep them.
 */
const COMMON = `
local meta, log = KEYS[1], KEYS[2]
local epoch, last, total, from, since
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function whole(text)
	local number = tonumber(text)
	return number and number >= 0 and number % 1 == 0 and number
end

local function load(proposed)
	local known = redis.call('HMGET', meta, 'epoch', 'last', 'total', 'from', 'since')
	epoch, last, total, from, since = known[1], whole(known[2]), whole(known[3]), tonumber(known[4]), tonumber(known[5])
	if epoch and last and total and from and since and last <= ${HIGHEST_OFFSET} then return end
	epoch, last, total, from, since = proposed, 0, 0, 0, now
	redis.call('DEL', log)
	redis.call('HSET', meta, 'epoch', epoch, 'last', last, 'total', total, 'from', from, 'since', since)
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

local function head()
	return struct.pack('>BBBc0d', ${HISTORY_MARKER}, ${HISTORY_VERSION}, #epoch, epoch, last)
end

local function entry(offset, prev, at, content)
	return struct.pack('>dddI4', offset, prev, at, #content)
end
`;

/** Begins the error of an append that was refused because it came too late. The time on the server's clock follows. */
export const LATE = 'LATE';

/**
 * The script that appends messages. KEYS: meta, log, and the idempotency key, if any. ARGV: channel, an epoch in case a
 * new one is needed, seed, size, bytes, ttlMs, rememberedMs, the time on the server's clock after which the append is
 * refused, then the messages, each preceded by the byte of its kind. Returns the time on the server's clock.
 *
 * A script with a shebang line is refused as a whole if Redis is out of memory, has too few replicas or is a replica.
 * The script checks the permission to publish on the channel before it writes, so that no append takes effect in part.
 */
const append = (publish: 'publish' | 'spublish'): string => `#!lua
${COMMON}
if now > tonumber(ARGV[8]) then return redis.error_reply(string.format('${LATE} %.0f', now)) end
if KEYS[3] and redis.call('EXISTS', KEYS[3]) == 1 then return now end
local channel, size, bytes, ttl = ARGV[1], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
if not redis.acl_check_cmd('${publish}', channel, '') then
	return redis.error_reply('NOPERM this user has no permissions to publish to the channel of the topic')
end
load(ARGV[2])
math.randomseed(ARGV[3])
local frame = { '' }
for i = 9, #ARGV do
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
if from ~= fromBefore or since ~= sinceBefore then redis.call('HSET', meta, 'from', from, 'since', since) end
redis.call('PEXPIRE', meta, ARGV[7])
redis.call('PEXPIRE', log, ttl)
if KEYS[3] then redis.call('SET', KEYS[3], '', 'PX', ${IDEMPOTENCY_MS}) end
frame[1] = head()
redis.call('${publish}', channel, table.concat(frame))
return now
`;

/**
 * The script that reads messages, and returns a frame. KEYS: meta, log. ARGV: an epoch in case a new one is needed,
 * size, bytes, ttlMs, rememberedMs, then the command that reads, with its start, end and limit. The script also runs
 * when Redis is out of memory.
 */
const READ = `#!lua flags=allow-oom
${COMMON}
load(ARGV[1])
redis.call('XTRIM', log, 'MAXLEN', '=', ARGV[2])
trim(true, tonumber(ARGV[3]), tonumber(ARGV[4]))
redis.call('HSET', meta, 'from', from, 'since', since)
redis.call('PEXPIRE', meta, ARGV[5])
local frame = { head() }
if ARGV[9] == '0' then return frame[1] end
local found = redis.call(ARGV[6], log, ARGV[7], ARGV[8], 'COUNT', ARGV[9])
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
