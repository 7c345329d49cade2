import { describe, expect, it } from 'vitest';
import {
	type Cluster,
	InvalidExceptError,
	InvalidOptionError,
	InvalidSocketIdError,
	InvalidTargetError,
	InvalidTopicError,
	InvalidUserIdError,
	type Target,
} from '../index.ts';
import { openNode } from '../test-support/test-node.ts';

type ErrorClass = new (...args: never[]) => Error;
type Options = Record<string, unknown>;

/** The calls that have a target and options. */
const ACTIONS: readonly [string, (cluster: Cluster, target: unknown, options?: unknown) => Promise<unknown>][] = [
	['disconnect', (cluster, target, options) => cluster.disconnect(target as Target, options as Options)],
	['subscribe', (cluster, target, options) => cluster.subscribe(target as Target, 'new', options as Options)],
	['unsubscribe', (cluster, target, options) => cluster.unsubscribe(target as Target, 't', options as Options)],
	['reauthorize', (cluster, target, options) => cluster.reauthorize(target as Target, 't', options as Options)],
	['connections', (cluster, target, options) => cluster.connections(target as Target, options as Options)],
];

/** Rejects a call, and makes sure that nothing was done. */
async function refused(call: (cluster: Cluster) => Promise<unknown>, error: ErrorClass): Promise<Error> {
	const node = await openNode();
	const member = await node.connect({ userId: '42', topics: new Set(['t']) });
	const thrown = await call(node.provider.cluster).catch((reason: unknown) => reason);
	expect(thrown).toBeInstanceOf(error);
	expect(node.provider.isConnected(member.id)).toBe(true);
	expect([...member.ws.data.topics]).toEqual(['t']);
	return thrown as Error;
}

describe.each(ACTIONS)('cluster.%s refuses', (name, act) => {
	it.each<[unknown, ErrorClass]>([
		[undefined, InvalidTargetError],
		[null, InvalidTargetError],
		['42', InvalidTargetError],
		['everyone', InvalidTargetError],
		[7, InvalidTargetError],
		[[], InvalidTargetError],
		[['all'], InvalidTargetError],
		[{}, InvalidTargetError],
		[{ id: '42' }, InvalidTargetError],
		[{ userId: '42', topic: 't' }, InvalidTargetError],
		[{ userId: '42', topic: undefined }, InvalidTargetError],
		[{ socketId: 'x' }, InvalidSocketIdError],
		[{ socketId: undefined }, InvalidSocketIdError],
		[{ userId: '' }, InvalidUserIdError],
		[{ userId: 42 }, InvalidUserIdError],
		[{ userId: 'x'.repeat(257) }, InvalidUserIdError],
		[{ topic: 'a b' }, InvalidTopicError],
		[{ topic: '*' }, InvalidTopicError],
	])('the target %o', async (target, error) => {
		const { message } = await refused((cluster) => act(cluster, target), error);
		if (error === InvalidTargetError)
			expect(message).toContain("pass one of { socketId }, { userId } and { topic }, or 'all'");
	});

	it.each<[unknown, ErrorClass]>([
		[null, InvalidOptionError],
		['x', InvalidOptionError],
		[[], InvalidOptionError],
		[{ unknown: 1 }, InvalidOptionError],
		[{ timeoutMs: 0 }, InvalidOptionError],
		[{ timeoutMs: 60_001 }, InvalidOptionError],
		[{ timeoutMs: 1.5 }, InvalidOptionError],
		[{ timeoutMs: '5' }, InvalidOptionError],
		[{ timeoutMs: Infinity }, InvalidOptionError],
		[{ except: 'x' }, InvalidSocketIdError],
		[{ except: ['x'] }, InvalidSocketIdError],
		[{ except: 7 }, InvalidExceptError],
		[{ except: 'self' }, InvalidExceptError],
		[{ except: Array.from({ length: 101 }, () => crypto.randomUUID()) }, InvalidExceptError],
	])('the options %o', async (options, error) => {
		const { message } = await refused((cluster) => act(cluster, 'all', options), error);
		if (error === InvalidOptionError) expect(message).toContain(`cluster.${name}()`);
	});
});

describe('calls of the cluster', () => {
	it.each<[string, (cluster: Cluster) => Promise<unknown>, ErrorClass]>([
		['a wrong code', (cluster) => cluster.disconnect('all', { code: 'Banned!' }), InvalidOptionError],
		['an empty code', (cluster) => cluster.disconnect('all', { code: '' }), InvalidOptionError],
		['a wrong text', (cluster) => cluster.disconnect('all', { message: 7 as never }), InvalidOptionError],
		['a wrong reconnect', (cluster) => cluster.disconnect('all', { reconnect: 'no' as never }), InvalidOptionError],
		['a wrong code to unsubscribe', (cluster) => cluster.unsubscribe('all', 't', { code: 'A' }), InvalidOptionError],
		[
			'an option of another call',
			(cluster) => cluster.unsubscribe('all', 't', { past: false } as never),
			InvalidOptionError,
		],
		['by', (cluster) => cluster.unsubscribe('all', 't', { by: 'client' } as never), InvalidOptionError],
		['a wrong past', (cluster) => cluster.subscribe('all', 'new', { past: 1 as never }), InvalidOptionError],
		['a wrong topic', (cluster) => cluster.subscribe('all', 'a b'), InvalidTopicError],
		['no topic', (cluster) => cluster.unsubscribe('all', undefined as never), InvalidTopicError],
		['a wrong topic to ask about', (cluster) => cluster.reauthorize('all', ''), InvalidTopicError],
		['a limit of 0', (cluster) => cluster.connections('all', { limit: 0 }), InvalidOptionError],
		['a limit that is too large', (cluster) => cluster.connections('all', { limit: 10_001 }), InvalidOptionError],
		['a wrong topic to count', (cluster) => cluster.subscriberCount('*'), InvalidTopicError],
		['a wrong time limit of a count', (cluster) => cluster.connectionCount({ timeoutMs: 0 }), InvalidOptionError],
		['except of a count', (cluster) => cluster.subscriberCount('t', { except: [] } as never), InvalidOptionError],
	])('refuse %s', async (_, call, error) => {
		await refused(call, error);
	});

	it('accept options that are undefined', async () => {
		const { cluster } = (await openNode()).provider;
		const none = { timeoutMs: undefined, except: undefined };
		await cluster.disconnect('all', { ...none, code: undefined, message: undefined, reconnect: undefined });
		await cluster.subscribe('all', 't', { ...none, past: undefined });
		await cluster.unsubscribe('all', 't', { ...none, code: undefined, message: undefined });
		await cluster.reauthorize('all', undefined, none);
		await cluster.connections('all', { ...none, limit: undefined });
	});

	it('refuse a listener that is no function', async () => {
		const { provider } = await openNode();
		expect(() => provider.cluster.onNodesChange({} as never)).toThrow(InvalidOptionError);
		expect(() => provider.onReauthorize(undefined as never)).toThrow(InvalidOptionError);
	});

	it('that are refused and ignored are logged', async () => {
		const node = await openNode();
		void node.provider.cluster.disconnect({ userId: '' });
		await expect
			.poll(() => node.log.problems)
			.toMatchObject([{ message: expect.stringContaining('Invalid userId ""') }]);
	});
});
