import { between, pick, random, sample } from '../history/random.ts';
import { OWN, ROOMS, USERS } from './population.ts';
import type { Action, Call, Recipients, Target } from './protocol.ts';

const TIME_LIMITS_MS = [300, 1_000, 2_000];
/** Calls of a kind that reaches everyone are this rare. */
const FOR_ALL = 0.02;
/** Topics that actions have subscribed sockets to are taken up again by later ones: the last 20. */
const REMEMBERED = 20;

/** What there is to act on. */
export interface Population {
	/** The ids of connections; some may have ended. */
	readonly sockets: readonly string[];
	/** The ids of nodes. */
	readonly nodes: readonly string[];
}

/** Draws actions at random. */
export class Draw {
	#n = 0;
	readonly #topics: string[] = [];

	next(population: Population): Action {
		const n = ++this.#n;
		const timeoutMs = pick(TIME_LIMITS_MS);
		return { n, timeoutMs, ...this.#call(n, population) };
	}

	#call(n: number, { sockets, nodes }: Population): Call {
		const target = (): Target => targetAmong(sockets);
		const code = `a${n}`;
		const chance = random();
		if (chance < 0.1) return { do: 'subscribe', target: target(), topic: this.#newTopic(n) };
		if (chance < 0.25) return { do: 'subscribe', target: target(), topic: pick(ROOMS) };
		if (chance < 0.45) return { do: 'unsubscribe', target: target(), topic: pick([...ROOMS, ...this.#topics]), code };
		if (chance < 0.6) {
			const few = target();
			// Everyone at once is too many for anything else to happen.
			const except = few === 'all' ? { except: sample(sockets, 100) } : {};
			return { do: 'disconnect', target: few, code, reconnect: random() < 0.5, ...except };
		}
		if (chance < 0.75) return { do: 'connections', target: target() };
		if (chance < 0.8) return { do: 'reauthorize', target: target() };
		if (chance < 0.85) return { do: 'connectionCount' };
		if (chance < 0.9) return { do: 'subscriberCount', topic: pick([...ROOMS, ...OWN]) };
		const to: Recipients = pick<Recipients>(['all', 'others', sample(nodes, between(1, 2))]);
		return chance < 0.97 ? { do: 'request', to } : { do: 'emit', to };
	}

	#newTopic(n: number): string {
		const topic = `chosen:${n}`;
		this.#topics.push(topic);
		if (this.#topics.length > REMEMBERED) this.#topics.shift();
		return topic;
	}
}

function targetAmong(sockets: readonly string[]): Target {
	const chance = random();
	if (chance < FOR_ALL) return 'all';
	if (chance < 0.3 && sockets.length > 0) return { socketId: pick(sockets) };
	if (chance < 0.33) return { socketId: crypto.randomUUID() };
	if (chance < 0.75) return { userId: pick(USERS) };
	if (chance < 0.78) return { userId: 'nobody' };
	return { topic: pick([...ROOMS, ...OWN]) };
}
