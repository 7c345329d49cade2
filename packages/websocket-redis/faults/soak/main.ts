/**
 * Breaks things at random for as long as it is told, and counts: no client may miss a message, hear one twice or out of order. Not part of the
 * tests, which do a few rounds of the same; a run prints its seed, with which another one makes the same choices.
 *
 *     bun run soak                      ten minutes
 *     MINUTES=60 SEED=7 bun run soak
 */
import { Crowd } from '../history/crowd.ts';
import { NOTHING_LOST, type Outcome, outcomeFrom } from '../history/outcome.ts';
import { randomRound } from '../history/random-faults.ts';

const minutes = Number(process.env['MINUTES'] ?? 10);
if (!(minutes > 0 && minutes <= 24 * 60)) throw new Error(`MINUTES must be a number from 0 to 1,440, not ${minutes}`);

const crowd = await Crowd.gather();
const deadline = Date.now() + minutes * 60_000;
let isRight = true;
try {
	for (let round = 1; isRight && Date.now() < deadline; round++) {
		const outcomeOf = outcomeFrom(crowd);
		const names = await randomRound(crowd);
		const outcome = outcomeOf();
		isRight = Object.keys(NOTHING_LOST).every((kind) => outcome[kind as keyof Outcome] === 0);
		const published = [...crowd.topics.values()].reduce((sum, each) => sum + each.published.length, 0);
		console.log(`${round}: ${names.join(', ')}; ${published} published, ${outcome.recovered} times recovered`);
		if (!isRight) console.log('WRONG', outcome);
	}
} finally {
	await crowd.disperse();
}
process.exit(isRight ? 0 : 1);
