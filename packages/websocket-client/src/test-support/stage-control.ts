import { StageHost } from './stage-host.ts';

export interface StageControl {
	/** Where the stages of a page are driven from. */
	readonly url: string;
	/** Ends all stages. */
	stop(): Promise<void>;
}

/**
 * Lets pages of one origin open stages, and drive them: a POST to `/` opens one and tells its number and address, and one to `/3/emit`
 * calls `emit` of the third, with the list in the body.
 */
export function startStageControl(pageOrigin: string): StageControl {
	const stages: StageHost[] = [];
	const answer = async (request: Request): Promise<unknown> => {
		const [, id = '', method = ''] = new URL(request.url).pathname.split('/');
		if (id === '') {
			const stage = await StageHost.start([pageOrigin]);
			return { id: stages.push(stage) - 1, url: stage.url };
		}
		const stage = stages[Number(id)] as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
		// What a page does not say is `undefined` to whoever is called.
		const args = ((await request.json()) as unknown[]).map((arg) => arg ?? undefined);
		return await stage[method]?.(...args);
	};
	const server = Bun.serve({
		hostname: '127.0.0.1',
		port: 0,
		idleTimeout: 60,
		async fetch(request) {
			const headers = { 'access-control-allow-origin': pageOrigin };
			try {
				return Response.json((await answer(request)) ?? null, { headers });
			} catch (error) {
				return new Response(String(error), { status: 500, headers });
			}
		},
	});
	return {
		url: server.url.origin,
		async stop() {
			await Promise.all(stages.map((stage) => stage.end()));
			await server.stop(true);
		},
	};
}
