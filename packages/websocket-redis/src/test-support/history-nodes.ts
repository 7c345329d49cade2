import type { RedisServer, TestClient } from '@orijs/testkit';
import type { Gap, HistoryRules, MessagePosition, Position } from '@orijs/websocket';
import { RedisWsProvider } from '../index.ts';
import { type NodeHere, serveHere } from './node-here.ts';

/** A node with topics that keep their messages. */
export interface HistoryNode {
	readonly provider: RedisWsProvider;
	readonly node: NodeHere;
	/** What it said was lost. */
	readonly gaps: Gap[];
	stop(): Promise<void>;
}

export async function startHistoryNode(redis: RedisServer, history?: HistoryRules): Promise<HistoryNode> {
	const provider = new RedisWsProvider({
		connection: { port: redis.port },
		...(history !== undefined && { history }),
		logger: { debug() {}, info() {}, warn() {}, error() {} },
	});
	const node = serveHere(provider);
	const gaps: Gap[] = [];
	provider.onGap((gap) => gaps.push(gap));
	await provider.start();
	return { provider, node, gaps, stop: () => node.stop() };
}

/** What a client got of topics with history. */
export interface Got {
	readonly data: string;
	readonly position: MessagePosition;
}

export function messagesOf({ texts }: TestClient): Got[] {
	return texts.filter((text) => text.startsWith('{"name":"@text"')).map((text) => JSON.parse(text) as Got);
}

/** Where the server said that a topic goes on. */
export function placesOf({ texts }: TestClient): Position[] {
	return texts
		.filter((text) => text.startsWith('{"type":"@position"'))
		.map((text) => (JSON.parse(text) as { data: Position }).data);
}
