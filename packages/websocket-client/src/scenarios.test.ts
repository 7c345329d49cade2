import { describe, it } from 'vitest';
import { play } from './test-support/play.ts';
import { scenarios } from './test-support/scenarios/index.ts';
import { StageHost } from './test-support/stage-host.ts';

describe.each(Object.entries(scenarios))('%s', (_, group) => {
	it.concurrent.each(Object.entries(group))('%s', async (_title, scenario) => {
		const stage = await StageHost.start();
		try {
			await play(scenario, stage);
		} finally {
			await stage.end();
		}
	});
});
