/**
 * How much earlier than a takeover a gap may begin: a node that finds itself on a server that is master no more, or on another one than
 * before, takes the old one for right as of when it was last asked, which it is every second, and when its replicas were last heard of,
 * which Redis tells in whole seconds. In milliseconds.
 */
export const DOUBT_MS = 2_500;
