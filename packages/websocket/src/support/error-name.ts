import { cut } from '../protocol/show.ts';

/** Returns the name of a thrown value, which distinguishes failures in the log. Never throws. */
export function errorName(thrown: unknown): string {
	try {
		if (thrown instanceof Error && typeof thrown.name === 'string') return cut(thrown.name);
	} catch {
		// A proxy or a getter can throw.
	}
	return typeof thrown;
}
