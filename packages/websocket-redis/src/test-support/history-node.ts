import { type RedisServer, type TestClient, until } from '@orijs/testkit';
import type { Gap, HistoryRules, MessagePosition, Position } from '@orijs/websocket';
import { RedisWsProvider } from '../index.ts';
import { type LocalNode, serveLocally } from './local-node.ts';
import { resolves } from './resolves.ts';
import { silentLogger } from './silent-logger.ts';

/** A node whose topics have history. */
export interface HistoryNode {
	readonly provider: RedisWsProvider;
	readonly node: LocalNode;
	/** The gaps that the node has reported. */
	readonly gaps: Gap[];
	/** Publishes a message until it is accepted, with the same idempotency key each time. */
	publishUntilAccepted(topic: string, text: string): Promise<void>;
	stop(): Promise<void>;
}

export async function startHistoryNode(redis: RedisServer, history?: HistoryRules): Promise<HistoryNode> {
	const provider = new RedisWsProvider({
		connection: { port: redis.port },
		connectTimeout: 10_000,
		...(history !== undefined && { history }),
		logger: silentLogger,
	});
	const node = serveLocally(provider);
	const gaps: Gap[] = [];
	provider.onGap((gap) => gaps.push(gap));
	await provider.start();
	return {
		provider,
		node,
		gaps,
		publishUntilAccepted: (topic, text) =>
			until(() => resolves(provider.publish(topic, text, { idempotencyKey: text })), {
				what: `${text} is accepted`,
				timeoutMs: 10_000,
			}),
		stop: () => node.stop(),
	};
}

/** A message of a topic with history, as a client receives it. */
export interface ReceivedMessage {
	readonly data: string;
	readonly position: MessagePosition;
}

export function messagesOf({ texts }: TestClient): ReceivedMessage[] {
	return texts.filter((text) => text.startsWith('{"name":"@text"')).map((text) => JSON.parse(text) as ReceivedMessage);
}

/** Returns the positions from which topics continue, as reported by the server. */
export function positionsOf({ texts }: TestClient): Position[] {
	return texts
		.filter((text) => text.startsWith('{"type":"@position"'))
		.map((text) => (JSON.parse(text) as { data: Position }).data);
}
