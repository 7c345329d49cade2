import type { Bench } from '../harness/bench.ts';
import { CaseRecorder } from '../harness/case-recorder.ts';
import { PresenceGroup } from '../harness/presence-group.ts';
import type { SubjectKind } from '../harness/subject-kind.ts';
import { orijsPresence, presenceByExpiry, presenceByExpiryOfUsers, presenceByHand } from '../harness/subjects.ts';
import type { Sample } from '../report/results.ts';
import { count } from '../report/words.ts';
import type { Benchmark } from './benchmark.ts';

const KINDS = [presenceByHand, presenceByExpiry, presenceByExpiryOfUsers, orijsPresence];
const CHURNING = 1_000;
const SMALL = 100;
const LARGE = 10_000;
const IDLE_MS = 10_000;
const MANY_TOPICS = 100_000;
const IN_EACH = 3;
const STORM = 5_000;
const GENERATIONS = 2;

export const presence: Benchmark = {
	name: 'presence',
	title: 'Presence: what it costs to know who is in which topic',
	async run(bench, found) {
		const cases = casesOf(bench);
		const recorders = cases.map((one) => new CaseRecorder({ ...one, better: 'lower', baseline: presenceByHand.name }));
		for (let generation = 0; generation < bench.roundsUpTo(GENERATIONS); generation++) {
			let against: readonly Sample[] | undefined;
			for (const kind of bench.selected(KINDS, presenceByHand)) {
				const samples = await measure(bench, kind);
				against ??= samples;
				for (const [at, recorder] of recorders.entries()) {
					recorder.add(kind.name, samples[at] as Sample, against[at] as Sample);
				}
			}
		}
		for (const recorder of recorders) found(recorder.result());
	},
};

/** The cases, in the order of the samples of {@link measure}. */
function casesOf(bench: Bench): readonly { readonly name: string; readonly unit: string }[] {
	const churning = count(bench.upTo(CHURNING), 'client');
	const apart = `${churning}, each in a topic of its own`;
	const together = `${churning}, all in one topic, at once`;
	const large = bench.upTo(LARGE);
	const memory = 'memory of Redis per member';
	return [
		{ name: `processor time of Redis per join and leave: ${apart}`, unit: 'µs' },
		{ name: `processor time of the node per join and leave: ${apart}`, unit: 'µs' },
		{ name: `processor time of Redis per join and leave: ${together}`, unit: 'µs' },
		{ name: `processor time of the node per join and leave: ${together}`, unit: 'µs' },
		{ name: `${memory}: a topic with ${count(bench.upTo(SMALL), 'member')}`, unit: 'bytes' },
		{ name: `${memory}: a topic with ${count(large, 'member')}`, unit: 'bytes' },
		{ name: `processor time of Redis per second, with ${count(large, 'idle member')}`, unit: 'µs' },
		{ name: `${count(bench.upTo(STORM), 'join')} in a second: what each client that watches is sent`, unit: 'frames' },
		{ name: `${memory}: ${count(bench.upTo(MANY_TOPICS), 'topic')} with ${IN_EACH} members`, unit: 'bytes' },
	];
}

async function measure(bench: Bench, kind: SubjectKind): Promise<readonly Sample[]> {
	const churning = bench.upTo(CHURNING);
	const large = bench.upTo(LARGE);
	const group = await PresenceGroup.open(bench, kind, Math.max(large, churning + 1));
	const samples: Sample[] = [];
	const add = (value: number, more?: Sample['more']): void => {
		samples.push({ value, delivered: 1, ...(more && { more }) });
	};

	for (const topics of [topicNames('own', churning), ['shared']]) {
		const { redisNs, nodeNs } = await group.churn(topics, churning);
		add(redisNs / churning / 1e3);
		add(nodeNs / churning / 1e3);
	}

	const small = bench.upTo(SMALL);
	add((await group.populate(['small'], small)) / small);
	await group.empty(['small'], small);
	add((await group.populate(['large'], large)) / large);
	const idleMs = bench.scaled(IDLE_MS);
	add((await group.idle(idleMs)).redisNs / idleMs);
	await group.empty(['large'], large);

	const storm = await group.storm('storm', bench.upTo(STORM), STORM);
	add(storm.frames, {
		'KB each': storm.bytes / 1e3,
		'ms of Redis': storm.redisNs / 1e6,
		'ms of the node': storm.nodeNs / 1e6,
	});

	const topics = topicNames('many', bench.upTo(MANY_TOPICS));
	add((await group.populate(topics, IN_EACH)) / topics.length / IN_EACH);
	await group.close();
	return samples;
}

function topicNames(prefix: string, count: number): readonly string[] {
	return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}
