/**
 * Injects random faults for a given time, and counts messages: no client may miss one, or receive one twice or out of
 * order. Not part of the tests, which do only a few rounds of the same. A run prints its seed; another run with that
 * seed makes the same choices.
 *
 *     bun run soak                      ten minutes
 *     MINUTES=60 SEED=7 bun run soak
 */
import { HistoryDeployment } from '../history/history-deployment.ts';
import { NOTHING_LOST, type Outcome, outcomeFrom } from '../history/outcome.ts';
import { randomRound } from '../history/random-faults.ts';

const minutes = Number(process.env['MINUTES'] ?? 10);
if (!(minutes > 0 && minutes <= 24 * 60))
	throw new Error(`MINUTES must be a number above 0, at most 1,440, not ${minutes}`);

const deployment = await HistoryDeployment.start();
const deadline = Date.now() + minutes * 60_000;
let isCorrect = true;
try {
	for (let round = 1; isCorrect && Date.now() < deadline; round++) {
		const outcomeOf = outcomeFrom(deployment);
		const names = await randomRound(deployment);
		const outcome = outcomeOf();
		isCorrect = Object.keys(NOTHING_LOST).every((kind) => outcome[kind as keyof Outcome] === 0);
		const published = [...deployment.topics.values()].reduce((sum, each) => sum + each.published.length, 0);
		console.log(`${round}: ${names.join(', ')}; ${published} published, ${outcome.recovered} recoveries`);
		if (!isCorrect) console.log('WRONG', outcome);
	}
} finally {
	await deployment.stop();
}
process.exit(isCorrect ? 0 : 1);
