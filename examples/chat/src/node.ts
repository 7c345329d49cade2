import type { Routes } from '@orijs/core';
import type { WebSocketProvider } from '@orijs/websocket';
import { createChat } from './chat.ts';

export interface NodeOptions {
	readonly name: string;
	readonly port: number;
	readonly hostname: string;
	/** The page. */
	readonly routes: Routes;
	/** A provider is used once: each start gets a new one. None where there are no other nodes. */
	createProvider(): WebSocketProvider | undefined;
	/** A restart has failed, and nothing listens. */
	onFailure(error: unknown): void;
}

/** How long a node is away when it restarts, in milliseconds. */
const AWAY_MS = 1_000;

/** Listens, and is started again, at the same place, each time somebody asks for it. */
export async function startNode(options: NodeOptions): Promise<void> {
	const { name, port, hostname, routes, createProvider, onFailure } = options;
	let isRestarting = false;
	const chat = createChat({
		name,
		provider: createProvider(),
		restart: () => {
			restart().catch(onFailure);
		},
	}).routes(routes);
	await chat.listen({ port, hostname });

	async function restart(): Promise<void> {
		if (isRestarting) return;
		isRestarting = true;
		console.log(`${name} restarts`);
		await chat.stop();
		// An application leaves signals alone once it has stopped.
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
