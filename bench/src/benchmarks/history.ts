import { compareFlows, type FlowCase } from '../harness/compare-flows.ts';
import { historyByHand, jsonEnvelope, orijs, orijsHistory, socketIoBunStreams } from '../harness/subjects.ts';
import { count } from '../report/words.ts';
import type { Benchmark } from './benchmark.ts';

const KINDS = [historyByHand, orijsHistory, orijs, jsonEnvelope, socketIoBunStreams];

export const history: Benchmark = {
	name: 'history',
	title: 'History: from publish on one node, stored in Redis, to a client of another',
	async run(bench, found) {
		const topics = Array.from({ length: bench.upTo(500) }, (_, index) => `t${index}`);
		const topology = { clients: [topics], nodes: 2 } as const;
		const cases = [
			flowCase({ used: 1, perTurn: 1 }),
			flowCase({ used: 1, perTurn: 100, limit: 0.6 }),
			flowCase({ used: 50, perTurn: 100 }),
			flowCase({ used: 500, perTurn: 100, limit: 0.6 }),
		];
		for (const result of await compareFlows(bench, bench.selected(KINDS, historyByHand), topology, cases))
			found(result);

		function flowCase({ used, perTurn, limit }: { used: number; perTurn: number; limit?: number }): FlowCase {
			return {
				// Messages that carry their offset differ in size.
				plan: { topics: topics.slice(0, used), receivers: 1, size: 64, perTurn, varies: true },
				comparison: {
					name: `${count(bench.upTo(used), 'topic')}, ${count(perTurn, 'message')} per turn of the event loop`,
					unit: 'messages/s',
					better: 'higher',
					baseline: historyByHand.name,
					...(limit !== undefined && { target: { subject: orijsHistory.name, limit, of: 'ratio' } }),
				},
			};
		}
	},
};
