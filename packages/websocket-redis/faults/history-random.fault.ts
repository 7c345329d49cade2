import { afterAll, beforeAll, expect, it } from 'vitest';
import { howToRepeat } from './harness/expect-none.ts';
import { HistoryDeployment } from './history/history-deployment.ts';
import { NOTHING_LOST, outcomeFrom } from './history/outcome.ts';
import { restartRandom } from './history/random.ts';
import { randomRound } from './history/random-faults.ts';

const ROUNDS = 6;

let deployment: HistoryDeployment;
beforeAll(async () => void (deployment = await HistoryDeployment.start()));
afterAll(() => deployment.stop());

/** `bun run soak` does the same for a given time. */
it('clients of topics with history receive every message once and in order under random faults', async () => {
	for (let round = 0; round < ROUNDS; round++) {
		restartRandom(`round ${round}`);
		const outcome = outcomeFrom(deployment);
		const names = await randomRound(deployment);
		console.log(`${round + 1}: ${names.join(', ')}`);
		expect(outcome(), `${names.join(', ')}; ${howToRepeat()}`).toMatchObject(NOTHING_LOST);
	}
});
