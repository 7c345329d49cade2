import { SocketMessage, type StandardSchemaV1 } from '@orijs/websocket/protocol';
import type { RedisWsProvider } from '../../src/index.ts';
import type { Action, Said } from './protocol.ts';

/** A schema that accepts everything. */
function any<Value>(): StandardSchemaV1<Value> {
	return { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: value as Value }) } };
}

/** Goes from node to node, numbered; answered with the id of the node that answers. */
const Asked = SocketMessage.define({ name: 'asked', data: any<{ n: number }>(), reply: any<{ nodeId: string }>() });
/** Goes from node to node, numbered. */
const Told = SocketMessage.define({ name: 'told', data: any<{ n: number }>() });

/** Answers what other nodes ask. @param onMessage called with the number of each message */
export function answerNodes({ cluster, nodeId }: RedisWsProvider, onMessage: (n: number) => void): void {
	cluster.on(Asked, ({ n }) => {
		onMessage(n);
		return { nodeId };
	});
	cluster.on(Told, ({ n }) => onMessage(n));
}

/** More connections than there are. */
const LIMIT = 10_000;

/** Carries out an action. Resolves with what it said it has done. */
export async function act({ cluster }: RedisWsProvider, action: Action): Promise<Said> {
	const { timeoutMs } = action;
	switch (action.do) {
		case 'disconnect': {
			const { target, code, reconnect, except } = action;
			return cluster.disconnect(target, { code, reconnect, timeoutMs, ...(except !== undefined && { except }) });
		}
		case 'subscribe':
			return cluster.subscribe(action.target, action.topic, { timeoutMs });
		case 'unsubscribe':
			return cluster.unsubscribe(action.target, action.topic, { code: action.code, timeoutMs });
		case 'reauthorize':
			return cluster.reauthorize(action.target, undefined, { timeoutMs });
		case 'connections':
			return cluster.connections(action.target, { limit: LIMIT, timeoutMs });
		case 'connectionCount':
			return cluster.connectionCount({ timeoutMs });
		case 'subscriberCount':
			return cluster.subscriberCount(action.topic, { timeoutMs });
		case 'request': {
			const { answers, errors, ...said } = await cluster.request(Asked, { n: action.n }, { to: action.to, timeoutMs });
			return {
				...said,
				answers: Array.from(answers, ([from, { nodeId }]) => [from, nodeId] as const),
				errors: Array.from(errors, ([from, { name }]) => [from, name] as const),
			};
		}
		case 'emit':
			await cluster.emit(Told, { n: action.n }, { to: action.to });
			return {};
	}
}
