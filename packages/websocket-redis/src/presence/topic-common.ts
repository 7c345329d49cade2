import {
	COUNT_ONLY,
	FORMAT,
	LEASE_BYTES,
	LINGER_BYTES,
	ORDERED,
	ORDERED_ABOVE,
	RECORD_BYTES,
	STATE,
	STATE_BYTES,
	UNORDERED_BELOW,
} from './layout.ts';
import { VERSION_KEPT_MS } from '@orijs/websocket';

export type Publish = 'publish' | 'spublish';

/** How much earlier than its time a lingering record may be removed, in milliseconds. */
const EARLY_MS = 50;
/** The part of `membersUpTo` from which on members are not named, if they were not before. */
const NAMED_BELOW = 0.9;

/**
 * Code shared by the scripts that change a topic's members: see `layout.ts`. KEYS: the members, and their order.
 *
 * A record is a table of the number of its lease, connections, since, when its info was set, info or false, until when
 * it lingers or 0, and for how long. A lease is one of its node, generation, number of records, attempt, and until when
 * it is kept.
 *
 * In Lua, converting a number to text loses digits, even with `..`. Passing it as an argument of `redis.call` does not.
 */
export const COMMON = (publish: Publish): string => `
local members, order = KEYS[1], KEYS[2]
local STATE, FORMAT = '\\${STATE}', '\\${FORMAT}'
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local epoch, n, count, flags, leases, changes
-- The values of leases that are stored, and how many there are.
local stored, held

local function fieldOf(id)
	return STATE .. struct.pack('>I2', id)
end

local function load(text)
	leases, stored, held = {}, {}, 0
	if not text or #text < ${STATE_BYTES} or text:sub(1, 1) ~= FORMAT then return false end
	local _, total
	_, epoch, n, count, flags, total = struct.unpack('>Bc8I6I4BI2', text)
	if #text ~= ${STATE_BYTES} + 2 * total then return false end
	held = total
	if total == 0 then return true end
	local ids, fields = {}, {}
	for i = 1, total do
		ids[i] = struct.unpack('>I2', text, ${STATE_BYTES - 1} + 2 * i)
		fields[i] = fieldOf(ids[i])
	end
	for i, value in ipairs(redis.call('HMGET', members, unpack(fields))) do
		if not value or #value ~= ${LEASE_BYTES} then return false end
		leases[ids[i]], stored[ids[i]] = { struct.unpack('>c16dI4I4I6', value) }, value
	end
	return true
end

local function begin(proposed)
	epoch, n, count, flags, leases, stored, held = proposed, 0, 0, 0, {}, {}, 0
end

-- Adds the state, and the leases that have changed, to values to be stored. Removes leases that are no longer needed.
local function addState(values)
	local parts, dropped = { '' }, {}
	held = 0
	for id, lease in pairs(leases) do
		local field = fieldOf(id)
		if lease[3] > 0 or lease[5] > now then
			held = held + 1
			parts[held + 1] = field:sub(2)
			local value = struct.pack('>c16dI4I4I6', unpack(lease, 1, 5))
			if value ~= stored[id] then
				values[#values + 1] = field
				values[#values + 1] = value
				stored[id] = value
			end
		elseif stored[id] then
			dropped[#dropped + 1] = field
			stored[id] = nil
		end
	end
	if dropped[1] then redis.call('HDEL', members, unpack(dropped)) end
	parts[1] = struct.pack('>Bc8I6I4BI2', ${FORMAT}, epoch, n, count, flags, held)
	values[#values + 1] = STATE
	values[#values + 1] = table.concat(parts)
end

local function freeNumber()
	local id = #leases + 1
	while leases[id] do id = id + 1 end
	return id
end

-- Returns the records of a member; nothing if its value can't be read.
local function parse(value)
	if value:sub(1, 1) ~= FORMAT then return end
	local records, at, size = {}, 2, #value
	while at <= size do
		if at + ${RECORD_BYTES - 1} > size then return end
		local lingers, id, connections, since, set, length = struct.unpack('>BI2I4I6I6I2', value, at)
		local till, ms, info = 0, 0, false
		at = at + ${RECORD_BYTES}
		if lingers == 1 then
			if at + ${LINGER_BYTES - 1} > size then return end
			till, ms = struct.unpack('>I6I4', value, at)
			at = at + ${LINGER_BYTES}
		end
		if length > 0 then
			info = value:sub(at, at + length - 2)
			at = at + length - 1
		end
		if lingers > 1 or not leases[id] or at > size + 1 then return end
		records[#records + 1] = { id, connections, since, set, info, till, ms }
	end
	return records[1] and records
end

local function format(records)
	local parts = { FORMAT }
	for i, record in ipairs(records) do
		local info, till = record[5], record[6]
		parts[i + 1] = struct.pack('>BI2I4I6I6I2', till > 0 and 1 or 0, record[1], record[2], record[3], record[4],
			info and #info + 1 or 0) .. (till > 0 and struct.pack('>I6I4', till, record[7]) or '') .. (info or '')
	end
	return table.concat(parts)
end

-- Returns what others see of a member: its connections, since, info; and when that was set. Records that linger count
-- only if none is live.
local function view(records)
	local first = records[1]
	if not records[2] then return first[2], first[3], first[5], first[4] end
	local isLive = false
	for _, record in ipairs(records) do isLive = isLive or record[6] == 0 end
	local connections, since, info, set = 0, math.huge, false, -1
	for _, record in ipairs(records) do
		if record[6] == 0 or not isLive then
			connections = connections + record[2]
			if record[3] < since then since = record[3] end
			if record[4] > set then info, set = record[5], record[4] end
		end
	end
	return connections, since, info, set
end

local function isDue(record)
	local till = record[6]
	-- If there is more to wait than from the beginning, the clock was set back.
	return till > 0 and (now + ${EARLY_MS} >= till or till - now > record[7])
end

local function removeRecord(records, at)
	local lease = leases[records[at][1]]
	lease[3] = math.max(0, lease[3] - 1)
	table.remove(records, at)
end

-- kind: 0 joined, 1 left, 2 updated
local function change(kind, key, connections, since, info)
	info = info or nil
	changes[#changes + 1] = struct.pack('>BI4dI2c0I2', kind, math.min(connections, 4294967295), since, #key, key,
		info and #info + 1 or 0) .. (info or '')
end

-- Begins a version, if anything has changed for others.
local function nextVersion(upTo)
	if not changes[1] then return end
	local isCountOnly = flags % 2 == ${COUNT_ONLY}
	isCountOnly = upTo == 0 or count > upTo or isCountOnly and count >= upTo * ${NAMED_BELOW}
	local isOrdered = count > (flags >= ${ORDERED} and ${UNORDERED_BELOW - 1} or ${ORDERED_ABOVE})
	n, flags = n + 1, (isCountOnly and ${COUNT_ONLY} or 0) + (isOrdered and ${ORDERED} or 0)
end

-- Puts the order right after members were added and removed. It has all fields but the state and leases.
local function keepOrder(wasOrdered, added, removed)
	if flags < ${ORDERED} then
		if wasOrdered then redis.call('DEL', order) end
		return
	end
	if wasOrdered then
		if added[1] then redis.pcall('ZADD', order, unpack(added)) end
		if removed[1] then redis.pcall('ZREM', order, unpack(removed)) end
		if redis.pcall('ZCARD', order) == redis.call('HLEN', members) - 1 - held then return end
	end
	redis.call('DEL', order)
	local scored = {}
	for _, key in ipairs(redis.call('HKEYS', members)) do
		if key:sub(1, 1) ~= STATE then
			scored[#scored + 1] = 0
			scored[#scored + 1] = key
		end
		if #scored == 1000 then
			redis.call('ZADD', order, unpack(scored))
			scored = {}
		end
	end
	if scored[1] then redis.call('ZADD', order, unpack(scored)) end
end

local function keepAsLongAs(before)
	if count == 0 then redis.call('PEXPIRE', members, ${VERSION_KEPT_MS})
	elseif before == 0 then redis.call('PERSIST', members) end
end

local function publish(channel, header)
	if not changes[1] then return end
	local isCountOnly = flags % 2 == ${COUNT_ONLY}
	local body = struct.pack('>Bc8dI4I2', isCountOnly and 1 or 0, epoch, n, count, isCountOnly and 0 or #changes)
	redis.call('${publish}', channel, header .. body .. (isCountOnly and '' or table.concat(changes)))
end

-- Counts everything again, as another program has removed or overwritten members.
local function recount()
	count = 0
	for _, lease in pairs(leases) do lease[3] = 0 end
	local all = redis.call('HGETALL', members)
	for i = 1, #all, 2 do
		local records = all[i]:sub(1, 1) ~= STATE and parse(all[i + 1])
		if records then
			count = count + 1
			for _, record in ipairs(records) do
				local lease = leases[record[1]]
				lease[3] = lease[3] + 1
			end
		end
	end
end
`;
