import { play } from '../../src/test-support/play.ts';
import { scenarios } from '../../src/test-support/scenarios/index.ts';
import { openRemoteStage } from '../../src/test-support/stage-remote.ts';

/** Runs in the page. */
export interface ScenarioPage {
	/** Runs one, on a stage of that control. Resolves with what went wrong. */
	run(group: string, title: string, control: string): Promise<string | undefined>;
}

declare global {
	var page: ScenarioPage;
}

globalThis.page = {
	async run(group, title, control) {
		const scenario = scenarios[group]?.[title];
		if (scenario === undefined) return 'there is no such scenario';
		const stage = await openRemoteStage(control);
		try {
			await play(scenario, stage);
			return undefined;
		} catch (error) {
			return error instanceof Error ? `${error.name}: ${error.message}\n${error.stack}` : String(error);
		} finally {
			await stage.end();
		}
	},
};
