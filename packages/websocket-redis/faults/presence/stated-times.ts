// What docs/guarantees.md states, in milliseconds.

/** A connection is a member for everyone within this time. */
export const JOINED_MS = 2_000;
/** A member has left within this time after its last connection, besides `leaveDelayMs`. */
export const LEFT_MS = 2_000;
/** A member of a node that was killed has left within this time. */
export const KILLED_MS = 15_000;
/** Everyone knows all members again within this time after the backend, a link or a node is back. */
export const RECOVERED_MS = 5_000;
/** A client is told that its members may be out of date within this time after its node was cut off. */
export const STALE_MS = 5_000;
/** A node that was out for less keeps its members: its lease, less the time between renewals. */
export const KEPT_MS = 7_500;

/** For how long the harness's topics keep a user's place. */
export const LEAVE_DELAY_MS = 3_000;
