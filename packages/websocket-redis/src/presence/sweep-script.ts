import { MAX_PRESENCE_OPS, VERSION_KEPT_MS } from '@orijs/websocket';
import { RedisScript } from '../server/redis-script.ts';
import { ORDERED, SWEPT } from './layout.ts';
import { COMMON, type Publish } from './topic-common.ts';

/** About how many members one run looks at. */
const MEMBERS_AT_A_TIME = 100;

/**
 * The script that removes the records of a lease from a topic, and of earlier generations of its node: see
 * `PresenceStore.sweep`. One run looks at a part of the members. ARGV:
 *
 * - the channel, and the header of its frames
 * - an epoch, in case a new one is needed
 * - the node and its generation
 * - whether to remove only records that have lingered for their time: 1 or 0
 * - membersUpTo
 * - a cursor, `0` for the first run
 *
 * Returns the cursor for the next run, or `0`; how many records were removed; how many are left in the topic; and the
 * soonest time, on the server's clock, at which one of those that were looked at has lingered for its time, or 0.
 */
const sweep = (publish: Publish): string => `#!lua flags=allow-oom
${COMMON(publish)}
local channel, header, node, generation = ARGV[1], ARGV[2], ARGV[4], tonumber(ARGV[5])
local isDueOnly, upTo, cursor = ARGV[6] == '1', tonumber(ARGV[7]), ARGV[8]
if not redis.acl_check_cmd('${publish}', channel, '') then
	return redis.error_reply('NOPERM this user has no permissions to publish to the presence channel of the topic')
end
local known = redis.pcall('HMGET', members, STATE)
if known.err then
	if known.err:find('WRONGTYPE', 1, true) then return { '0', 0, 0, 0 } end
	return known
end
if not load(known[1]) then begin(ARGV[3]) end

local swept, isMarked, left, before = {}, false, 0, count
for id, lease in pairs(leases) do
	if lease[1] == node and lease[2] <= generation then
		swept[id] = true
		left = left + lease[3]
		lease[4], lease[5] = ${SWEPT}, now + ${VERSION_KEPT_MS}
		isMarked = isMarked or lease[2] == generation
	end
end
-- So that nothing that comes late is put there.
if not isMarked then leases[freeNumber()] = { node, generation, 0, ${SWEPT}, now + ${VERSION_KEPT_MS} } end

changes = {}
local done, soonest, values, removed = 0, 0, {}, {}

local function flush()
	local wasOrdered = flags >= ${ORDERED}
	if removed[1] then redis.call('HDEL', members, unpack(removed)) end
	nextVersion(upTo)
	addState(values)
	redis.call('HSET', members, unpack(values))
	if removed[1] then keepOrder(wasOrdered, {}, removed) end
	keepAsLongAs(before)
	publish(channel, header)
	changes, values, removed, before = {}, {}, {}, count
end

local function sweepMember(key, records, at)
	local record = records[at]
	if isDueOnly and not isDue(record) then
		if record[6] > 0 and (soonest == 0 or record[6] < soonest) then soonest = record[6] end
		return
	end
	local connections, since, info = view(records)
	removeRecord(records, at)
	done, left = done + 1, left - 1
	if records[1] then
		values[#values + 1] = key
		values[#values + 1] = format(records)
		local connectionsNow, sinceNow, infoNow = view(records)
		if connections ~= connectionsNow or since ~= sinceNow or info ~= infoNow then
			change(2, key, connectionsNow, sinceNow, infoNow)
		end
	else
		count = count - 1
		removed[#removed + 1] = key
		change(1, key, connections, since, info)
	end
	if #changes == ${MAX_PRESENCE_OPS} or #values >= 1000 then flush() end
end

local nextCursor = '0'
if left > 0 then
	local found = redis.call('HSCAN', members, cursor, 'COUNT', ${MEMBERS_AT_A_TIME})
	nextCursor = found[1]
	local fields = found[2]
	for i = 1, #fields, 2 do
		local records = fields[i]:sub(1, 1) ~= STATE and parse(fields[i + 1]) or {}
		for at = #records, 1, -1 do
			if swept[records[at][1]] then sweepMember(fields[i], records, at) end
		end
	end
	if nextCursor == '0' and left > 0 and not isDueOnly then
		recount()
		left = 0
		for id in pairs(swept) do left = left + leases[id][3] end
	end
end
flush()
return { nextCursor, done, left, soonest }
`;

export const sweepScripts: Record<Publish, RedisScript> = {
	publish: new RedisScript(sweep('publish')),
	spublish: new RedisScript(sweep('spublish')),
};
