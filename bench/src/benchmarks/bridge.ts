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
	title: 'Bridge: published on one node, over Redis, to a client of another',
	async run(bench, found) {
		const topics = Array.from({ length: bench.upTo(500) }, (_, index) => `t${index}`);
		// One client in all topics, so that it is the bridge that is measured and not the fan-out behind it.
		const setting = { clients: [topics], nodes: 2 } as const;
		const perTurn = 100;
		const cases = [
			flowCase({ topics: 1, perTurn, target: 10 }),
			flowCase({ topics: 50, perTurn }),
			flowCase({ topics: 500, perTurn, target: 2 }),
			flowCase({ topics: 1, perTurn: 1 }),
		];
		for (const result of await compareFlows(bench, bench.chosen(KINDS, jsonEnvelope), setting, cases)) found(result);

		function flowCase({
			topics: used,
			perTurn,
			target,
		}: {
			topics: number;
			perTurn: number;
			target?: number;
		}): FlowCase {
			const load = perTurn === 1 ? ', one message per turn of the event loop' : '';
			return {
				plan: { topics: topics.slice(0, used), receivers: 1, size: 64, perTurn },
				comparison: {
					name: `${count(bench.upTo(used), 'topic')}${used > 1 ? ' in turn' : ''}${load}`,
					unit: 'messages/s',
					better: 'higher',
					baseline: jsonEnvelope.name,
					...(target !== undefined && { target: { subject: orijs.name, limit: target, of: 'ratio' } }),
				},
			};
		}
	},
};
