import { expect, it, onTestFinished } from 'vitest';
import { expectNone, howToRepeat } from './harness/expect-none.ts';
import { restartRandom, sample } from './history/random.ts';
import { MembershipDeployment } from './membership/membership-deployment.ts';

const DURATION_MS = process.env.FAULTS === 'all' ? 120_000 : 30_000;
const STEP_MS = 25;
/** How often all is left in peace until server, backend and clients agree. */
const QUIET_EVERY_MS = 10_000;
const FROZEN_MS = 2_500;

it(
	'server, backend and clients agree on who is in which topic, and no loss is silent',
	async () => {
		restartRandom('membership');
		const deployment = await MembershipDeployment.start();
		onTestFinished(() => deployment.stop());
		const { redis, ledger } = deployment;
		await deployment.untilAllAgree();
		deployment.startPublishing();
		const startAt = Date.now();

		const end = performance.now() + DURATION_MS;
		for (let round = 0; performance.now() < end; round++) {
			const quietAt = performance.now() + QUIET_EVERY_MS;
			const faultAt = performance.now() + QUIET_EVERY_MS / 3;
			let isFaultDue = true;
			while (performance.now() < quietAt) {
				deployment.change();
				if (sample([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 1)[0] === 0) deployment.cut(3);
				await Bun.sleep(STEP_MS);
				if (!isFaultDue || performance.now() < faultAt) continue;
				isFaultDue = false;
				if (round % 3 === 0) {
					redis.freeze();
					setTimeout(() => redis.thaw(), FROZEN_MS);
				} else if (round % 3 === 1) {
					await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
				} else {
					await redis.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
				}
			}
			await deployment.untilAllAgree();
		}
		deployment.stopPublishing();
		await deployment.untilAllDelivered();

		const { silent, duplicates, ...counts } = ledger.totals();
		console.log('membership', counts);
		const losses = silent.map(
			({ client, topic, n, at }) =>
				`client ${client}, ${topic}: message ${n}, ${((at - startAt) / 1_000).toFixed(2)} s`,
		);
		expectNone('silent losses', losses, `times since the first publish; ${duplicates} duplicates`);
		expect(duplicates, howToRepeat()).toBe(0);
		expect(counts.received).toBeGreaterThan(1_000);
	},
	DURATION_MS + 90_000,
);
