import { onTestFinished } from 'vitest';
import { RedisWsProvider, type RedisWsProviderOptions } from '../index.ts';
import { type LocalNode, serveLocally } from './local-node.ts';
import { silentLogger } from './silent-logger.ts';

export interface TestNode {
	readonly provider: RedisWsProvider;
	readonly node: LocalNode;
}

/** Starts a node, which is stopped at the end of the test. */
export async function startNode(options: RedisWsProviderOptions): Promise<TestNode> {
	const provider = new RedisWsProvider({ connectTimeout: 10_000, logger: silentLogger, ...options });
	const node = serveLocally(provider);
	onTestFinished(() => node.stop());
	await provider.start();
	return { provider, node };
}
