import type { BusBackend } from './case-context.ts';
import { type ConformanceCase, conformanceCases } from './conformance.ts';
import { CHANGES } from './presence-changes.ts';
import { LEASES } from './presence-leases.ts';
import { LINGERING } from './presence-lingering.ts';
import { MEMBERS } from './presence-members.ts';
import { OUTAGES } from './presence-outages.ts';
import { PROVIDERS } from './presence-providers.ts';
import { READING } from './presence-reading.ts';
import { REFERENCE } from './presence-reference.ts';
import { SWEEPS } from './presence-sweeps.ts';

/**
 * Returns the suite that the presence of a `Bus` must pass. Cases are skipped if the backend lacks a method that they
 * need: `cut` and `restore`, `losePresence`, `moveClock`. The suite can't write unreadable entries, and it can't wait
 * for versions that are forgotten after minutes. Test these cases yourself. Most cases take less than a second; without
 * `moveClock`, one takes more than 5 seconds.
 *
 * @param openBackend creates a fresh backend for each case
 */
export function presenceConformance(openBackend: () => BusBackend | Promise<BusBackend>): readonly ConformanceCase[] {
	return conformanceCases(openBackend, {
		...MEMBERS,
		...LINGERING,
		...READING,
		...CHANGES,
		...REFERENCE,
		...LEASES,
		...SWEEPS,
		...OUTAGES,
		...PROVIDERS,
	});
}
