import { compareFlows, type FlowCase } from '../harness/compare-flows.ts';
import { crossws, orijs, orijsBothKinds, rawBun, rawBunAgain, socketIoBun, socketIoNode } from '../harness/subjects.ts';
import type { Target } from '../report/results.ts';
import { count, size } from '../report/words.ts';
import type { Benchmark } from './benchmark.ts';

const TARGET: Target = { subject: orijs.name, limit: 0.97, of: 'ratio' };

export const fanOut: Benchmark = {
	name: 'fan-out',
	title: 'Fan-out: one publish to many sockets of one process',
	async run(bench, found) {
		const sizes = bench.sizes(1, 100, 1_000);
		const most = Math.max(...sizes);
		// The first client subscribes to all topics, the last only to the largest.
		const clients = Array.from({ length: most }, (_, client) => sizes.filter((size) => client < size).map(topicOf));
		const cases = [64, 1024].flatMap((bytes) => sizes.map((receivers) => flowCase(receivers, bytes)));
		const kinds = bench.selected(
			[rawBun, orijs, orijsBothKinds, rawBunAgain, crossws, socketIoBun, socketIoNode],
			rawBun,
		);
		for (const result of await compareFlows(bench, kinds, { clients, nodes: 1 }, cases)) found(result);

		const closest = flowCase(most, 64, { name: 'more rounds, without peers', target: TARGET });
		const few = bench.selected([rawBun, orijs, orijsBothKinds, rawBunAgain], rawBun);
		for (const result of await compareFlows(bench.withMoreGenerations(4), few, { clients, nodes: 1 }, [closest]))
			found(result);
	},
};

function flowCase(
	receivers: number,
	bytes: number,
	{ name, target }: { name?: string; target?: Target } = {},
): FlowCase {
	return {
		plan: { topics: [topicOf(receivers)], receivers, size: bytes, perTurn: receivers < 1_000 ? 100 : 10 },
		comparison: {
			name: `${count(receivers, 'socket')} × ${size(bytes)}${name === undefined ? '' : `, ${name}`}`,
			unit: 'deliveries/s',
			better: 'higher',
			baseline: rawBun.name,
			...(target && { target }),
		},
	};
}
function topicOf(receivers: number): string {
	return `of:${receivers}`;
}
