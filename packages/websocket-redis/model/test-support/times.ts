// Tells the time.

import { answerRequests } from '@orijs/testkit';
import { trueNow } from '../record/true-time.ts';

answerRequests(async (request) => {
	switch (request) {
		case 'times':
			return { clock: Date.now(), true: trueNow() };
		case 'sleep':
			return Bun.sleep(300);
		case 'many':
			return nearestToTruth();
	}
});

/** Reads the clock for half a second. Returns how far it is from the true time at least, in milliseconds. */
async function nearestToTruth(): Promise<number> {
	let nearest = Infinity;
	for (const end = performance.now() + 500; performance.now() < end; await Bun.sleep(0)) {
		for (let i = 0; i < 100; i++) nearest = Math.min(nearest, Math.abs(Date.now() - trueNow()));
	}
	return nearest;
}
