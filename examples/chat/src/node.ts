import type { Routes } from '@orijs/core';
import type { WebSocketProvider } from '@orijs/websocket';
import type { Bans } from './bans.ts';
import { createChat } from './chat.ts';

export interface NodeOptions {
	readonly name: string;
	readonly port: number;
	readonly hostname: string;
	readonly moderatorKey: string;
	readonly bans: Bans;
	/** The routes of the pages. */
	readonly routes: Routes;
	/** Called for each start, because a provider is used only once. Returns undefined for a single node. */
	createProvider(): WebSocketProvider | undefined;
	/** Called when a restart has failed. The node is then no longer listening. */
	onFailure(error: unknown): void;
}

/** How long the node is away during a restart, in milliseconds. */
const AWAY_MS = 1_000;

/** Starts the node. For each restart, starts it again on the same port. */
export async function startNode(options: NodeOptions): Promise<void> {
	const { name, port, hostname, moderatorKey, bans, routes, createProvider, onFailure } = options;
	let isRestarting = false;
	const chat = createChat({
		name,
		moderatorKey,
		bans,
		provider: createProvider(),
		restart: () => {
			restart().catch(onFailure);
		},
	}).routes(routes);
	await chat.listen({ port, hostname });

	async function restart(): Promise<void> {
		if (isRestarting) return;
		isRestarting = true;
		console.log(`${name} is restarting`);
		await chat.stop();
		// A stopped application no longer handles signals.
		const exit = (): void => process.exit(0);
		process.on('SIGINT', exit).on('SIGTERM', exit);
		try {
			await Bun.sleep(AWAY_MS);
			await startNode(options);
			console.log(`${name} is back`);
		} finally {
			process.off('SIGINT', exit).off('SIGTERM', exit);
		}
	}
}
