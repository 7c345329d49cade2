/** The history that every subject with history retains per topic. */
export const RETENTION = { size: 500, ttlMs: 3_600_000 } as const;
