/**
 * What the hash of a topic's members holds. Numbers are big-endian. A field is a member's key; fields that begin with
 * {@link STATE} can't be keys. That byte alone is the field of the state; with the number of a lease (u16) after it, it
 * is the field of that lease.
 *
 * ```text
 * state  = format (u8)  epoch (8 bytes)  n (u48)  count (u32)  flags (u8: 1 count only, 2 ordered)
 *          number of leases (u16)  their numbers (u16)
 * lease  = node (16 bytes)  generation (f64)  its records (u32)  attempt (u32)  kept until (u48, ms)
 * member = format (u8)  records
 * record = lingers (u8: 0 or 1)  number of the lease (u16)  connections (u32)  since (u48, ms)
 *          when its info was set (u48, ms)  length of the info plus 1 (u16; 0: no info)
 *          if it lingers: until when (u48, ms), for how long (u32, ms)  info
 * ```
 *
 * Records name a lease by its number, since a node's UUID and generation would take more than all else. Redis stores a
 * hash of up to 512 fields compactly if none is longer than 64 bytes; so each lease has a field of its own. A lease is
 * there as long as it has records, and until the time up to which it is kept: for {@link ATTEMPT_KEPT_MS} after changes
 * that follow others whose outcome was unknown, which may come late; and once it is swept, so that it can't come back.
 *
 * When a record's info was set is in milliseconds: of a member's records, the latest counts. Above
 * {@link ORDERED_ABOVE} members, a sorted set holds their keys as well, so that a page can be read without reading all.
 * The hash with the state expires once a topic has had no members for some time.
 */
export const FORMAT = 1;

/** No text in UTF-8 has this byte. */
export const STATE = 0xff;

export const STATE_BYTES = 22;
export const LEASE_BYTES = 38;
export const RECORD_BYTES = 21;
export const LINGER_BYTES = 10;
export const FLAGS_OFFSET = 19;
export const COUNT_ONLY = 1;
export const ORDERED = 2;

/** The attempt of a lease that has been swept: all others are less. */
export const SWEPT = 0xffff_ffff;
/** For how long an attempt is remembered, in milliseconds: longer than changes can come late. */
export const ATTEMPT_KEPT_MS = 10_000;
/** With more members than this, their order is kept. */
export const ORDERED_ABOVE = 128;
/** With fewer members than this, their order is no longer kept. */
export const UNORDERED_BELOW = 64;
