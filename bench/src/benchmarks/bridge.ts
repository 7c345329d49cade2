import { compareFlows, type FlowCase } from '../harness/compare-flows.ts';
import {
	bareIoredis,
	crosswsRedis,
	jsonEnvelope,
	orijs,
	socketIoBunRedis,
	socketIoBunSharded,
	socketIoBunStreams,
	socketIoNodeRedis,
	socketIoNodeStreams,
} from '../harness/subjects.ts';
import { count } from '../report/words.ts';
import type { Benchmark } from './benchmark.ts';

const KINDS = [
	jsonEnvelope,
	bareIoredis,
	orijs,
	crosswsRedis,
	socketIoBunRedis,
	socketIoBunSharded,
	socketIoBunStreams,
	socketIoNodeRedis,
	socketIoNodeStreams,
];

export const bridge: Benchmark = {
	name: 'bridge',
	title: 'Bridge: from publish on one node, over Redis, to a client of another',
	async run(bench, found) {
		const topics = Array.from({ length: bench.upTo(500) }, (_, index) => `t${index}`);
		// A single client is subscribed to all topics, so that this measures the bridge and not the fan-out behind it.
		const topology = { clients: [topics], nodes: 2 } as const;
		const cases = [
			flowCase({ used: 1, perTurn: 1 }),
			flowCase({ used: 1, perTurn: 100, target: 10 }),
			flowCase({ used: 1, perTurn: 1_000 }),
			flowCase({ used: 50, perTurn: 100 }),
			flowCase({ used: 500, perTurn: 100, target: 2 }),
		];
		for (const result of await compareFlows(bench, bench.selected(KINDS, jsonEnvelope), topology, cases)) found(result);

		function flowCase({ used, perTurn, target }: { used: number; perTurn: number; target?: number }): FlowCase {
			return {
				plan: { topics: topics.slice(0, used), receivers: 1, size: 64, perTurn },
				comparison: {
					name: `${count(bench.upTo(used), 'topic')}, ${count(perTurn, 'message')} per turn of the event loop`,
					unit: 'messages/s',
					better: 'higher',
					baseline: jsonEnvelope.name,
					...(target !== undefined && { target: { subject: orijs.name, limit: target, of: 'ratio' } }),
				},
			};
		}
	},
};
