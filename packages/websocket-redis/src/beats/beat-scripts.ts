import { MAX_DIGEST_ENTRIES, MAX_DIGEST_RUN } from '@orijs/websocket/internal';
import { RedisScript } from '../server/redis-script.ts';

/** How long what INFO says is kept, in milliseconds. */
const INFO_MS = 1_000;
/** How long a cluster's topology is kept, in milliseconds. */
const TOPOLOGY_MS = 250;
/** The least time between two looks for silent nodes, in milliseconds. */
const LOOK_EVERY_MS = 20;
/** How long digests of single nodes are counted, in milliseconds. */
const WINDOW_MS = 250;
/** How many digests of single nodes can be published in this time. Further nodes wait, and share the next one. */
const MOST_IN_WINDOW = 10;
/** If none of at least this many nodes has beaten for a time, it is the server that was away. */
const MANY_NODES = 4;
/** How many records are forgotten at a time. */
const MOST_FORGOTTEN = 100;
/** For how long the keys outlive the records in them, in milliseconds. */
const EXPIRY_MARGIN_MS = 10_000;

/**
 * Code shared by the scripts that take a beat. KEYS, in the slot of the heartbeat channel:
 *
 * - records: a hash. The field of a node is its origin in 7 bytes; its value is the node's entry in digests, when the
 *   server took the beat (f64, ms), and the run (u8). The field `state` is described below
 * - seen: a sorted set of origins. The score is when the node renewed its record
 * - texts: a hash of what the nodes have said of themselves, by origin
 *
 * ARGV: the channel, the frame, the entry, the header of digests, the heartbeat channel, whether digests are wanted (0
 * or 1), and the run without a record.
 *
 * The records are not replicated, and those of an earlier run of the server are dropped: they say what this very server
 * has taken. This also keeps beats out of the append-only file.
 *
 * In Lua, converting a number to text loses digits, even with `..`. Passing it as an argument of `redis.call` does not.
 */
const COMMON = `
pcall(redis.set_repl, redis.REPL_NONE)
local records, seen, texts = KEYS[1], KEYS[2], KEYS[3]
local channel, frame, entry, header, shared = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local isCollected, claimed = ARGV[6] == '1', math.min(tonumber(ARGV[7]), ${MAX_DIGEST_RUN})
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local origin = entry:sub(1, 7)
local number, incarnation = struct.unpack('>I4I3', entry, 8)

-- Returns the run that ends with this beat; when the record was renewed before; whether the beat is late.
local function follows(record)
	if not record then return claimed end
	local before, recorded = struct.unpack('>I4I3', record, 8)
	local at, run = struct.unpack('>dB', record, 29)
	if number == before + 1 then run = math.min(run + 1, ${MAX_DIGEST_RUN}) elseif number ~= before then run = 1 end
	return run, at, incarnation < recorded
end
`;

type Publish = 'publish' | 'spublish';

/** Must write the topology as `topologyName` does. */
const LOOK_AT_TOPOLOGY = `
if now - mapped >= ${TOPOLOGY_MS} then
	local ranges = redis.pcall('CLUSTER', 'SLOTS')
	mapped, view = now, ''
	if not ranges.err then
		local lines = {}
		for i, range in ipairs(ranges) do
			local primary = range[3] or { '', 0 }
			lines[i] = string.format('%d-%d %s:%d', range[1], range[2], primary[1] or '', primary[2])
		end
		view = redis.sha1hex(table.concat(lines, '\\n'))
	end
end
`;

/**
 * The script that takes a beat: see `BeatStore.beat`. Further ARGV: digestEveryMs, silentAfterMs, forgetAfterMs and, if
 * that is to be stored, what the node says of itself.
 *
 * Returns whether the node had no record, and what INFO has said of the server: how many milliseconds ago, the role
 * (1 primary, 2 replica, 0 unknown), the number of replicas, the lag of the slowest in milliseconds, and the run id. On
 * a cluster, then how many milliseconds ago it looked up its view of the topology, and the name of that: see
 * `topologyName`. The name is empty if it is unknown.
 *
 * The field `state` holds these times in milliseconds (f64):
 *
 * - at: of the last beat
 * - resumed: from when silences count. If no node has renewed its record for a time, it is the server that was away
 * - full: of the last digest of all nodes, at first of the first beat: by the next one, all nodes have beaten
 * - cut: nodes that renewed their record until then, and not since, have been handed on as silent
 * - window: from when digests of single nodes are counted
 * - asked: of the last INFO
 * - mapped: of the last look at the topology
 *
 * then the digests in the window (u16), the replicas (u16), their lag (u16, s), the role (u8), the run id and the name
 * of the topology, each with its length (u8), and the origins of single nodes to be handed on.
 *
 * The script also runs when Redis is out of memory, as publishing does. It is refused as a whole if Redis takes no
 * writes for another reason.
 */
const beat = (publish: Publish): string => `#!lua flags=allow-oom
${COMMON}
local every, silentAfter, forgetAfter = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local known = redis.call('HMGET', records, 'state', origin)
local record = known[2]
local at, resumed, full, cut, window, asked, mapped = now, 0, now, 0, 0, 0, 0
local singles, replicas, lag, role, id, view, due = 0, 0, 0, 0, '', '', ''
if known[1] then
	local rest
	at, resumed, full, cut, window, asked, mapped, singles, replicas, lag, role, id, view, rest =
		struct.unpack('>dddddddI2I2I2BBc0Bc0', known[1])
	due = known[1]:sub(rest)
end

-- The server's clock was set back. Ages stay as they were, plus a second, as the time since the last beat is not known.
-- A digest of all nodes is due, as the next one could be too late.
if now < at then
	local shift = now - at - 1000
	resumed, cut, full, asked, mapped = now, cut + shift, 0, 0, 0
	local all = redis.call('ZRANGE', seen, 0, -1, 'WITHSCORES')
	for i = 1, #all, 2 do
		redis.call('ZADD', seen, tonumber(all[i + 1]) + shift, all[i])
		local value = redis.call('HMGET', records, all[i])[1]
		if value then
			local taken, length = struct.unpack('>dB', value, 29)
			redis.call('HSET', records, all[i], value:sub(1, 28) .. struct.pack('>dB', taken + shift, length))
		end
	end
elseif now - at > silentAfter and redis.call('HLEN', records) - 1 >= ${MANY_NODES} then
	resumed = now
end

if now - asked >= ${INFO_MS} then
	local info = redis.pcall('INFO', 'server', 'replication')
	local before = id
	asked, role, replicas, lag, id = now, 0, 0, 0, ''
	if type(info) == 'string' then
		id = info:match('\\nrun_id:(%x+)') or ''
		role = ({ master = 1, slave = 2 })[info:match('\\nrole:(%a+)')] or 0
		replicas = math.min(tonumber(info:match('\\nconnected_slaves:(%d+)') or 0), 65535)
		for seconds in info:gmatch('\\nslave%d+:[^\\r\\n]-lag=(%d+)') do
			lag = math.max(lag, math.min(tonumber(seconds), 65535))
		end
	end
	if before ~= '' and id ~= '' and before ~= id then
		redis.call('DEL', records, seen, texts)
		record, resumed, full, cut, due = false, now, now, 0, ''
	end
	local old = redis.call('ZRANGE', seen, '-inf', now - forgetAfter, 'BYSCORE', 'LIMIT', 0, ${MOST_FORGOTTEN})
	if #old > 0 then
		redis.call('HDEL', records, unpack(old))
		redis.call('HDEL', texts, unpack(old))
		redis.call('ZREM', seen, unpack(old))
		for _, gone in ipairs(old) do if gone == origin then record = false end end
	end
end

${publish === 'spublish' ? LOOK_AT_TOPOLOGY : ''}
local run, renewed, isLate = follows(record)
local function answer() return { record and 0 or 1, now - asked, role, replicas, lag * 1000, id, now - mapped, view } end
if isLate then
	redis.call('${publish}', channel, frame)
	return answer()
end

redis.call('ZADD', seen, now, origin)
local renewal = entry .. struct.pack('>dB', now, run)
local isFull = isCollected and (now - full >= every or full > now)
local found = {}

local function add(value)
	if not value or #value ~= #renewal then return end
	local taken, length = struct.unpack('>dB', value, #entry + 1)
	local age = math.max(0, math.min(math.floor((now - taken) / 10), 65535))
	found[#found + 1] = value:sub(1, #entry) .. struct.pack('>I2B', age, length)
end

if isCollected then
	if not record or run == 1 and number ~= struct.unpack('>I4', record, 8) or renewed <= now - silentAfter then due = due .. origin end
	if now - resumed >= silentAfter and now - silentAfter >= cut + ${LOOK_EVERY_MS} then
		local silent = redis.call('ZRANGE', seen, string.format('(%.0f', cut), now - silentAfter, 'BYSCORE')
		if #silent > 0 then due = due .. table.concat(silent) end
		cut = now - silentAfter
	end
	if now - window >= ${WINDOW_MS} or window > now then window, singles = now, 0 end
	if isFull then full, due = now, '' end
end
local handed = ''
if due ~= '' and isCollected and singles < ${MOST_IN_WINDOW} then singles, handed, due = singles + 1, due, '' end

local state = struct.pack('>dddddddI2I2I2BBc0Bc0',
	now, resumed, full, cut, window, asked, mapped, singles, replicas, lag, role, #id, id, #view, view)
redis.call('HSET', records, 'state', state .. due, origin, renewal)
if ARGV[11] then redis.call('HSET', texts, origin, ARGV[11]) end
if ARGV[11] or asked == now then
	for i = 1, 3 do redis.call('PEXPIRE', KEYS[i], forgetAfter + ${EXPIRY_MARGIN_MS}) end
end

if isFull then
	for _, value in ipairs(redis.call('HVALS', records)) do add(value) end
elseif handed ~= '' then
	local origins = {}
	for first = 1, #handed, 7 do origins[#origins + 1] = handed:sub(first, first + 6) end
	-- Lua can't pass many thousand arguments.
	for first = 1, #origins, 1000 do
		local values = redis.call('HMGET', records, unpack(origins, first, math.min(first + 999, #origins)))
		for _, value in ipairs(values) do add(value) end
	end
end
for first = 1, #found, ${MAX_DIGEST_ENTRIES} do
	local last = math.min(first + ${MAX_DIGEST_ENTRIES - 1}, #found)
	redis.call('${publish}', shared, header .. (isFull and '\\0' or '\\1') .. table.concat(found, '', first, last))
end
redis.call('${publish}', channel, frame)
return answer()
`;

/** The script that takes the last beat of a node: see `BeatStore.remove`. */
const remove = (publish: Publish): string => `#!lua flags=allow-oom
${COMMON}
local run = follows(redis.call('HMGET', records, origin)[1])
redis.call('HDEL', records, origin)
redis.call('HDEL', texts, origin)
redis.call('ZREM', seen, origin)
-- Only the state is left.
if redis.call('HLEN', records) <= 1 then redis.call('DEL', records, seen, texts) end
if isCollected then redis.call('${publish}', shared, header .. '\\1' .. entry .. struct.pack('>I2B', 0, run)) end
redis.call('${publish}', channel, frame)
`;

/** The script that returns, for each node, its origin, what it has said of itself, and the time since its last beat. */
const LIST = `#!lua flags=no-writes
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local texts = redis.call('HGETALL', KEYS[3])
local listed = {}
for i = 1, #texts, 2 do
	local renewed = redis.call('ZSCORE', KEYS[2], texts[i])
	if renewed then
		listed[#listed + 1] = texts[i]
		listed[#listed + 1] = texts[i + 1]
		listed[#listed + 1] = math.max(0, now - tonumber(renewed))
	end
end
return listed
`;

export interface BeatScripts {
	readonly beat: RedisScript;
	readonly remove: RedisScript;
}

export const beatScripts: Record<Publish, BeatScripts> = {
	publish: { beat: new RedisScript(beat('publish')), remove: new RedisScript(remove('publish')) },
	spublish: { beat: new RedisScript(beat('spublish')), remove: new RedisScript(remove('spublish')) },
};

export const listScript: RedisScript = new RedisScript(LIST);
