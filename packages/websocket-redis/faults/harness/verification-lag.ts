/**
 * How much earlier than a takeover a gap may begin, in milliseconds. When a node notices that it is connected to a
 * former primary, or to a different server than before, it trusts the old one only up to its last check, one of which
 * takes place every second, and up to the last report of its replicas, which Redis counts in whole seconds.
 */
export const VERIFICATION_LAG_MS = 2_500;
