import { INFO_IS_NEW_MS } from '@orijs/websocket';
import { RedisScript } from '../server/redis-script.ts';
import { ATTEMPT_KEPT_MS, ORDERED, SWEPT } from './layout.ts';
import { COMMON, type Publish } from './topic-common.ts';

/** The first word of the error of changes that came too late. The time on the server's clock follows. */
export const LATE = 'LATE';
/** The first word of the error of changes of a lease that is unknown, or has been swept. */
export const NO_LEASE = 'NOLEASE';
/** The first word of the error if the server has lost what it had of the topic. */
export const LOST = 'LOST';

/** The number of ARGV for each change. */
const OP_ARGS = 6;
/** The first ARGV of the first change. */
const FIRST_OP = 10;

/**
 * The script that applies changes: see `PresenceStore.apply`. ARGV:
 *
 * - the channel, and the header of its frames
 * - an epoch, in case a new one is needed
 * - the epoch in which the node has records here, or an empty text if it may have none
 * - the node and its generation
 * - the attempt. It grows each time the outcome of changes is unknown; those of an earlier attempt are refused once
 *   some of a later one have been applied
 * - the time on the server's clock after which the changes are refused
 * - membersUpTo
 * - for each change: its kind, the key, connections or milliseconds, the age in milliseconds, the info or an empty
 *   text, and the age of the info in milliseconds
 *
 * Returns the time on the server's clock, the epoch, n, the number of members, and how many records the node now has
 * here. If no epoch was given, then the other leases that have records here: node and generation (f64).
 *
 * Changes that only remove records are also applied if Redis is out of memory.
 */
const apply = (publish: Publish, flags: string): string => `#!lua${flags}
${COMMON(publish)}
if now > tonumber(ARGV[8]) then return redis.error_reply(string.format('${LATE} %.0f', now)) end
local channel, node, generation, attempt, upTo = ARGV[1], ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[9])
if not redis.acl_check_cmd('${publish}', channel, '') then
	return redis.error_reply('NOPERM this user has no permissions to publish to the presence channel of the topic')
end
local fields = { STATE }
for i = ${FIRST_OP + 1}, #ARGV, ${OP_ARGS} do fields[#fields + 1] = ARGV[i] end
local known = redis.pcall('HMGET', members, unpack(fields))
if known.err and not known.err:find('WRONGTYPE', 1, true) then return known end
local isKnown = load(known[1])
if ARGV[4] ~= '' and (not isKnown or epoch ~= ARGV[4]) then
	return redis.error_reply('${LOST} the members of the topic are gone, or are those of another epoch')
end
if not isKnown then
	begin(ARGV[3])
	redis.call('DEL', members, order)
	known = {}
end

local own
for id, lease in pairs(leases) do
	if lease[1] == node and lease[2] >= generation then
		if lease[2] > generation or lease[4] == ${SWEPT} then
			return redis.error_reply('${NO_LEASE} the lease has been swept, or a later one has taken its place')
		end
		if lease[4] > attempt then
			return redis.error_reply('OVERTAKEN later changes of the same node have already been applied')
		end
		own = id
	end
end
own = own or freeNumber()
local mine = leases[own] or { node, generation, 0, 0, 0 }
leases[own] = mine
if attempt > 0 then mine[4], mine[5] = attempt, now + ${ATTEMPT_KEPT_MS} end

local function takeOver(record)
	if record[1] == own then return end
	local lease = leases[record[1]]
	lease[3] = lease[3] - 1
	mine[3] = mine[3] + 1
	record[1] = own
end

-- See INFO_IS_NEW_MS.
local function infoAt(age, latest)
	local at = math.max(0, now - age)
	return age < ${INFO_IS_NEW_MS} and math.max(at, latest + 1) or at
end

local function put(records, record, i, set)
	local info = ARGV[i + 4] ~= '' and ARGV[i + 4]
	local isNew = not record
	if isNew then
		record = { own, 0, math.max(0, now - tonumber(ARGV[i + 3])), 0, info, 0, 0 }
		records[#records + 1] = record
		mine[3] = mine[3] + 1
	end
	takeOver(record)
	if isNew or record[5] ~= info then record[4], record[5] = infoAt(tonumber(ARGV[i + 5]), set), info end
	record[2], record[6], record[7] = tonumber(ARGV[i + 2]), 0, 0
	for j = #records, 1, -1 do
		local other = records[j]
		if other[6] > 0 then
			record[3] = math.min(record[3], other[3])
			removeRecord(records, j)
		end
	end
end

-- Returns whether the record is to be removed. If no other is live, those that linger are removed.
local function linger(records, record, ms)
	if ms <= 0 then return true end
	takeOver(record)
	record[6], record[7] = now + ms, ms
	for _, other in ipairs(records) do
		if other[6] == 0 then return end
	end
	for j = #records, 1, -1 do
		if records[j] ~= record then removeRecord(records, j) end
	end
end

changes = {}
local before, wasOrdered = count, flags >= ${ORDERED}
local values, added, removed = {}, {}, {}
-- Another program has removed members. Below: or has overwritten some.
local isOverwritten = isKnown and redis.call('HLEN', members) - 1 - held < count
for i = ${FIRST_OP}, #ARGV, ${OP_ARGS} do
	local kind, key = ARGV[i], ARGV[i + 1]
	local value = known[2 + (i - ${FIRST_OP}) / ${OP_ARGS}]
	local records = value and parse(value)
	local connections, since, info, set
	if records then connections, since, info, set = view(records)
	elseif value then isOverwritten = true end
	if records or kind == 'put' then
		records = records or {}
		local at
		for j, record in ipairs(records) do
			if leases[record[1]][1] == node then at = j end
		end
		local record = records[at]
		if kind == 'put' then put(records, record, i, set or 0)
		elseif record and (kind == 'remove' or kind == 'expire' and isDue(record)
			or kind == 'linger' and linger(records, record, tonumber(ARGV[i + 2]))) then
			removeRecord(records, at)
		end
		if records[1] then
			local text = format(records)
			if text ~= value then
				values[#values + 1] = key
				values[#values + 1] = text
			end
			local connectionsNow, sinceNow, infoNow = view(records)
			if not connections then
				count = count + 1
				added[#added + 1] = 0
				added[#added + 1] = key
				change(0, key, connectionsNow, sinceNow, infoNow)
			elseif connections ~= connectionsNow or since ~= sinceNow or info ~= infoNow then
				change(2, key, connectionsNow, sinceNow, infoNow)
			end
		elseif connections then
			count = count - 1
			removed[#removed + 1] = key
			change(1, key, connections, since, info)
		end
	end
end

if values[1] or removed[1] or attempt > 0 then
	if removed[1] then redis.call('HDEL', members, unpack(removed)) end
	if isOverwritten then
		if values[1] then redis.call('HSET', members, unpack(values)) end
		values = {}
		recount()
	end
	nextVersion(upTo)
	addState(values)
	redis.call('HSET', members, unpack(values))
	if added[1] or removed[1] then keepOrder(wasOrdered, added, removed) end
	keepAsLongAs(before)
	publish(channel, ARGV[2])
end
local reply = { now, n > 0 and epoch or false, n, count, mine[3] }
if ARGV[4] == '' then
	for id, lease in pairs(leases) do
		if id ~= own and lease[3] > 0 then reply[#reply + 1] = lease[1] .. struct.pack('>d', lease[2]) end
	end
end
return reply
`;

export interface ApplyScripts {
	/** For changes that put records. */
	readonly put: RedisScript;
	/** For other changes. */
	readonly remove: RedisScript;
}

const scripts = (publish: Publish): ApplyScripts => ({
	put: new RedisScript(apply(publish, '')),
	remove: new RedisScript(apply(publish, ' flags=allow-oom')),
});

export const applyScripts: Record<Publish, ApplyScripts> = {
	publish: scripts('publish'),
	spublish: scripts('spublish'),
};
