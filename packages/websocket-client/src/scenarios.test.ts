import { describe, it } from 'vitest';
import { runScenario } from './test-support/run-scenario.ts';
import { scenarios } from './test-support/scenarios/index.ts';
import { LocalTestServer } from './test-support/local-test-server.ts';

describe.each(Object.entries(scenarios))('%s', (_, group) => {
	it.concurrent.each(Object.entries(group))('%s', async (_title, scenario) => {
		const server = await LocalTestServer.start();
		try {
			await runScenario(scenario, server);
		} finally {
			await server.end();
		}
	});
});
