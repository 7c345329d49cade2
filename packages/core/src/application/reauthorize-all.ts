import type { ActionOptions, ReauthorizeResult, Target, WebSocketProvider } from '@orijs/websocket';
import { ApplicationError } from '../errors.ts';

/**
 * Calls `cluster.reauthorize` of each provider, and adds up the results.
 *
 * @throws {ApplicationError} there is no provider
 * @throws everything that `cluster.reauthorize` throws
 */
export async function reauthorizeAll(
	providers: readonly WebSocketProvider[],
	target: Target,
	topic: string | undefined,
	options: ActionOptions | undefined,
): Promise<ReauthorizeResult> {
	if (providers.length === 0) throw new ApplicationError('reauthorize() needs an endpoint: call websocket() first');
	const results = await Promise.all(providers.map(({ cluster }) => cluster.reauthorize(target, topic, options)));
	return results.reduce((sum, each) => ({
		nodes: sum.nodes + each.nodes,
		answered: sum.answered + each.answered,
		unanswered: [...sum.unanswered, ...each.unanswered],
		sockets: sum.sockets + each.sockets,
		asked: sum.asked + each.asked,
		left: sum.left + each.left,
	}));
}
