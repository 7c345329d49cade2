import { runScenario } from '../../src/test-support/run-scenario.ts';
import { scenarios } from '../../src/test-support/scenarios/index.ts';
import { openRemoteTestServer } from '../../src/test-support/remote-test-server.ts';

/** The API that the page offers to the test. */
export interface ScenarioPage {
	/**
	 * Runs a scenario with a new test server, which the control at the URL `control` starts. Resolves with the error, if
	 * the scenario fails.
	 */
	run(group: string, title: string, control: string): Promise<string | undefined>;
}

declare global {
	var page: ScenarioPage;
}

globalThis.page = {
	async run(group, title, control) {
		const scenario = scenarios[group]?.[title];
		if (scenario === undefined) return 'there is no such scenario';
		const server = await openRemoteTestServer(control);
		try {
			await runScenario(scenario, server);
			return undefined;
		} catch (error) {
			return error instanceof Error ? `${error.name}: ${error.message}\n${error.stack}` : String(error);
		} finally {
			await server.end();
		}
	},
};
