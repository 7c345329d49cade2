import { fulfilled } from './fulfilled.ts';

interface Stoppable {
	stop(): Promise<void>;
}

/** All of them, in their order, or none: when one does not start, those that did are stopped. */
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
