import { fulfilled } from './fulfilled.ts';

interface Stoppable {
	stop(): Promise<void>;
}

/** Resolves with all started parts, in order. If one fails to start, stops the others and rejects. */
export async function startAll<Part extends Stoppable>(starts: readonly Promise<Part>[]): Promise<Part[]> {
	try {
		return await Promise.all(starts);
	} catch (error) {
		await stopAll(await fulfilled(starts));
		throw error;
	}
}

export async function stopAll(parts: readonly Stoppable[]): Promise<void> {
	await Promise.all(parts.map((part) => part.stop()));
}
