/**
 * How much earlier than a takeover a gap may begin, in milliseconds. A node that finds itself on a former primary, or
 * on another server than before, trusts the old one only until it was last checked, which happens every second, and
 * until its replicas last reported, which Redis counts in whole seconds.
 */
export const VERIFICATION_LAG_MS = 2_500;
