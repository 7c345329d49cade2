import type { PresenceOp } from '../presence/presence-store.ts';
import { put } from './presence-node.ts';

const KEYS = ['user:1', 'user:2', 'user:3', 'socket:é', 'user:🔑'];
const INFOS = [undefined, '{"n":1}', '{"n":2}', '{"text":"é🔑"}'];

/** Returns one to three changes, each of another member. */
export function someOps(random: (below: number) => number): PresenceOp[] {
	const first = random(KEYS.length);
	return Array.from({ length: 1 + random(3) }, (_, i): PresenceOp => {
		const key = KEYS[(first + i) % KEYS.length]!;
		switch (random(6)) {
			case 0:
				return { kind: 'linger', key, ms: random(2) * 60_000 };
			case 1:
				return { kind: 'expire', key };
			case 2:
				return { kind: 'remove', key };
			default:
				return put(key, { connections: 1 + random(2), ageMs: random(3) * 10_000, info: INFOS[random(INFOS.length)] });
		}
	});
}

/** Returns a function that draws whole numbers below its argument, the same ones for the same seed. */
export function seeded(seed: number): (below: number) => number {
	let state = seed;
	return (below) => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
		return Math.floor((state / 2 ** 32) * below);
	};
}
