import type { Bench } from '../harness/bench.ts';
import { CaseRecorder } from '../harness/case-recorder.ts';
import { compareFlows, type FlowCase } from '../harness/compare-flows.ts';
import type { SubjectKind } from '../harness/subject-kind.ts';
import { orijs, orijsCompressing } from '../harness/subjects.ts';
import { Testbed } from '../harness/testbed.ts';
import { count } from '../report/words.ts';
import type { Benchmark } from './benchmark.ts';

const TOPIC = 'all';
const RECEIVERS = 100;
/** Typical sizes of JSON, in bytes. */
const SIZES = [200, 2_000, 16_000];
/** Memory is measured for the second thousand, because the first also allocates what all connections share. */
const CONNECTIONS = 1_000;
const MESSAGES_EACH = 20;
const MESSAGE_BYTES = 2_000;
const GENERATIONS = 2;

export const compression: Benchmark = {
	name: 'compression',
	title: 'Compression: processor time, bytes on the wire and memory with perMessageDeflate',
	async run(bench, found) {
		const kinds = bench.selected([orijs, orijsCompressing], orijs);
		const clients = subscribers(bench.upTo(RECEIVERS));
		const cases = SIZES.map((size) => flowCase(clients.length, size));
		for (const result of await compareFlows(bench, kinds, { clients, nodes: 1 }, cases)) found(result);

		const connections = bench.upTo(CONNECTIONS);
		const further = `${count(connections, 'connection')} after as many`;
		const idle = memoryRecorder(`per idle connection, ${further}`);
		const used = memoryRecorder(`per connection that has received ${count(MESSAGES_EACH, 'message')}, ${further}`);
		for (let generation = 0; generation < bench.roundsUpTo(GENERATIONS); generation++) {
			let baseline: Memory | undefined;
			for (const kind of kinds) {
				const memory = await perConnection(bench, kind, connections);
				baseline ??= memory;
				idle.add(kind.name, sampleOf(memory.idle), sampleOf(baseline.idle));
				used.add(kind.name, sampleOf(memory.used), sampleOf(baseline.used));
			}
		}
		found(idle.result());
		found(used.result());
	},
};

function flowCase(receivers: number, size: number): FlowCase {
	return {
		plan: { topics: [TOPIC], receivers, size, isJson: true, perTurn: 10 },
		comparison: {
			name: `${count(receivers, 'socket')} × ${size.toLocaleString('en')} B of JSON`,
			unit: 'deliveries/s',
			better: 'higher',
			baseline: orijs.name,
		},
	};
}

function memoryRecorder(name: string): CaseRecorder {
	return new CaseRecorder({ name, unit: 'bytes', better: 'lower', baseline: orijs.name });
}

function sampleOf(value: number): { value: number; delivered: number } {
	return { value, delivered: 1 };
}

/** Bytes per connection, before and after messages. */
interface Memory {
	readonly idle: number;
	readonly used: number;
}

async function perConnection(bench: Bench, kind: SubjectKind, connections: number): Promise<Memory> {
	const clients = subscribers(connections);
	const testbed = await Testbed.open(bench, kind, { clients, nodes: 1 });
	const { publisher } = testbed;
	const memory = (): Promise<number> => publisher.ask<number>({ do: 'memory' });
	const work = { count: MESSAGES_EACH, topics: [TOPIC], size: MESSAGE_BYTES, isJson: true, perTurn: 1 };
	await publisher.ask({ do: 'publish', ...work, wireBytes: 0, windowBytes: 1 });
	await testbed.group.drain();
	const before = await memory();
	const group = await testbed.connect(clients);
	const idle = await memory();
	await publisher.ask({ do: 'publish', ...work, wireBytes: 0, windowBytes: 1 });
	await group.drain();
	const used = await memory();
	await testbed.close();
	return { idle: (idle - before) / connections, used: (used - before) / connections };
}

function subscribers(clients: number): readonly (readonly string[])[] {
	return Array.from({ length: clients }, () => [TOPIC]);
}
