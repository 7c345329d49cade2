import type { Limits } from '@orijs/core';

/** Limits that are enforced but never reached. For comparison, Bun's own limit for queued bytes is 16 MiB. */
export const UNREACHABLE_LIMITS: Limits = {
	messagesPerSecond: 1e9,
	bytesPerSecond: 1e12,
	topicsPerSocket: Infinity,
	queuedBytes: 8 * 1024 * 1024,
	// Clients that count bytes take pings for messages. The first one comes after half an interval.
	idleTimeoutMs: 960_000,
	pingIntervalMs: 480_000,
};
