/**
 * How much earlier than a takeover a gap may begin, in milliseconds. When a node notices that it is connected to a
 * former primary, or to a different server than before, it trusts the old one only up to its last check, and up to the
 * last report of its replicas, which Redis counts in whole seconds. With each beat, the server tells the node what INFO
 * said at most a second before.
 */
export const VERIFICATION_LAG_MS = 3_000;
