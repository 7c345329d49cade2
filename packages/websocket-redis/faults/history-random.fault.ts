import { afterAll, beforeAll, expect, it } from 'vitest';
import { Crowd } from './history/crowd.ts';
import { NOTHING_LOST, outcomeFrom } from './history/outcome.ts';
import { randomRound } from './history/random-faults.ts';

const ROUNDS = 6;

let crowd: Crowd;
beforeAll(async () => void (crowd = await Crowd.gather()));
afterAll(() => crowd.disperse());

/** `bun run soak` goes on for as long as one likes. */
it('clients of topics with history hear all, once and in order, whatever breaks', async () => {
	for (let round = 0; round < ROUNDS; round++) {
		const outcome = outcomeFrom(crowd);
		const names = await randomRound(crowd);
		console.log(`${round + 1}: ${names.join(', ')}`);
		expect(outcome(), names.join(', ')).toMatchObject(NOTHING_LOST);
	}
});
