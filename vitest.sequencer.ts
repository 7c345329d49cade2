import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Test files that take 10 seconds or more, the longest first. If one is missing here, a run only takes longer. */
const LONG: readonly string[] = [
	'websocket-redis/src/integration/silent-nodes.test.ts',
	'websocket-redis/src/presence/redis-presence.test.ts',
	'websocket-client/src/scenarios.test.ts',
	'websocket/src/testing/broken-buses.test.ts',
	'testkit/src/redis-cluster.test.ts',
	'websocket/src/testing/broken-presences.test.ts',
	'websocket-redis/src/integration/server-subscriptions.test.ts',
	'websocket/src/presence/presence-model.test.ts',
	'examples/chat/src/main.test.ts',
	'websocket/src/nodes/many-nodes.test.ts',
	'websocket-redis/src/presence/lost-data.test.ts',
	'testkit/src/redis-sentinel.test.ts',
	'core/src/session/keep-alive.test.ts',
	'websocket-redis/src/history/redis-history.test.ts',
	'orijs/src/reloading.test.ts',
	'websocket/src/testing/memory-bus-presence.test.ts',
	'websocket-redis/src/cluster/cluster-bus.test.ts',
	'core/src/reloading/hot-reload.test.ts',
	'websocket-redis/src/redis-bus.test.ts',
	'websocket/src/presence/topic-replica.test.ts',
	'websocket-redis/src/beats/primary.test.ts',
	'websocket/src/testing/memory-bus.test.ts',
	'websocket-client/src/slow-links.test.ts',
	'websocket/src/presence/watching.test.ts',
	'websocket-redis/src/server/credentials.test.ts',
	'core/src/session/inbound-memory.test.ts',
	'core/src/endpoint/opening.test.ts',
	'websocket/src/cluster/ledger.test.ts',
	'websocket-redis/src/beats/cluster-beats.test.ts',
	'core/src/session/log-floods.test.ts',
	'orijs/src/rolling-restart.test.ts',
	'websocket-redis/src/integration/stop.test.ts',
];

/** Starts long test files first: the others run beside them, and none is left to run alone at the end. */
export class LongestFirst extends BaseSequencer {
	override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
		// oxlint-disable-next-line unicorn/no-array-sort -- it is Vitest's
		return (await super.sort(files)).toSorted((one, other) => rank(one) - rank(other));
	}
}

function rank({ moduleId }: TestSpecification): number {
	const at = LONG.findIndex((path) => moduleId.endsWith(`/${path}`));
	return at === -1 ? LONG.length : at;
}
