/** How much the topics of all subjects with history keep. */
export const KEPT = { size: 500, ttlMs: 3_600_000 } as const;
