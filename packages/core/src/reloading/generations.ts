import { acrossReloads, IS_HOT } from './hot-state.ts';

// Under `bun --hot`, the code of each edit is a generation. Its applications, and its endpoints in servers of one's
// own, replace those of earlier generations, as if the process had been restarted.

/** An application or an endpoint, as a later generation sees it. */
export interface Replaceable {
	/** Stops the application, whatever its state. Resolves after at most 10 s even if it has not stopped. */
	retire(): Promise<void>;
	/** Where it listens, if it left the choice of the port to the system. */
	readonly chosenPort: ChosenPort | undefined;
}

export interface ChosenPort {
	readonly hostname: string | undefined;
	readonly port: number;
}

const state = acrossReloads('generations', () => ({
	/** The number of generations so far. */
	count: 0,
	/** The latest generation that has called `listen`. */
	latest: 0,
	/** Applications that are starting or listening, and their generations, in the order of their calls of `listen`. */
	applications: new Map<Replaceable, number>(),
	/** Settles when all applications that were retired have stopped. */
	retiring: Promise.resolve() as Promise<unknown>,
	/** The ports that the system had picked for retired applications. */
	freed: [] as ChosenPort[],
}));

const generation = IS_HOT ? ++state.count : 0;

/**
 * Called under `bun --hot` before an application starts. Retires all applications of earlier generations and waits for
 * them. Resolves with false if a later generation already listens; the application must not start then.
 */
export async function replaceEarlier(application: Replaceable): Promise<boolean> {
	if (generation < state.latest) return false;
	state.latest = generation;
	const earlier = [...state.applications].filter(([, its]) => its < generation).map(([before]) => before);
	state.applications.set(application, generation);
	for (const before of earlier) {
		state.applications.delete(before);
		if (before.chosenPort !== undefined) state.freed.push(before.chosenPort);
	}
	state.retiring = Promise.all([state.retiring, ...earlier.map((before) => before.retire())]);
	await state.retiring;
	return generation === state.latest;
}

/** Called when an application has stopped, or could not start. */
export function forget(application: Replaceable): void {
	state.applications.delete(application);
}

/**
 * Binds a port that the system picks. If the application replaces one with such a port, binds that port again, so that
 * clients find it.
 */
export function bindChosenPort<TServer>(hostname: string | undefined, bind: (port: number) => TServer): TServer {
	const index = state.freed.findIndex((freed) => freed.hostname === hostname);
	const freed = state.freed[index];
	if (freed === undefined) return bind(0);
	state.freed.splice(index, 1);
	try {
		return bind(freed.port);
	} catch (error) {
		if ((error as { code?: unknown }).code === 'EADDRINUSE') return bind(0);
		state.freed.unshift(freed);
		throw error;
	}
}
