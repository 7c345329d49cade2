/** The time between digests of all nodes, in milliseconds. */
export const DIGEST_EVERY_MS = 5_000;
/** A node whose beats are collected is silent if it has not renewed its record for this long, in milliseconds. */
export const SILENT_AFTER_MS = 2_500;
/** The longest time between a node's own beats, in milliseconds: well below the time after which it is silent. */
export const MOST_HEARTBEAT_MS = 1_000;
/** A silent node is forgotten after this time, in milliseconds. */
export const FORGET_AFTER_MS = 600_000;
/** How much later than expected a digest may arrive, in milliseconds. */
export const DIGEST_MARGIN_MS = 2_500;
/** How many intervals can pass without a beat before beats count as missed. */
export const OVERDUE_AFTER_BEATS = 1.5;
