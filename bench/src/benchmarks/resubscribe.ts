import { type RedisServer, until } from '@orijs/testkit';
import { now } from '../clock.ts';
import { alternate, type Contender } from '../harness/alternate.ts';
import { CaseRecorder } from '../harness/case-recorder.ts';
import { Testbed } from '../harness/testbed.ts';
import { bareIoredis, orijs } from '../harness/subjects.ts';
import type { Sample } from '../report/results.ts';
import { count } from '../report/words.ts';
import type { Benchmark } from './benchmark.ts';

const CLIENTS = 1_000;
const TOPICS_EACH = 100;
const SETTLE_MS = 500;

export const resubscribe: Benchmark = {
	name: 'resubscribe',
	title: 'Resubscribe: the connection to Redis is lost',
	async run(bench, found) {
		const clients = bench.upTo(CLIENTS);
		const topics = clients * TOPICS_EACH;
		const recorder = new CaseRecorder({
			name: `${count(topics, 'topic')}, from disconnect until all are subscribed again`,
			unit: 'ms',
			better: 'lower',
			baseline: bareIoredis.name,
			target: { subject: orijs.name, limit: 500, of: 'value' },
		});
		const testbeds: Testbed[] = [];
		for (const kind of bench.selected([bareIoredis, orijs], bareIoredis)) {
			const overRedis = { ...kind, overRedis: true };
			const testbed = await Testbed.open(bench, overRedis, {
				clients: Array.from({ length: clients }, () => []),
				nodes: 1,
			});
			await testbed.publisher.ask({ do: 'subscribe', clients, topicsEach: TOPICS_EACH });
			testbeds.push(testbed);
		}
		await alternate(testbeds.map(disconnect), bench.effort.rounds, recorder);
		await Promise.all(testbeds.map((testbed) => testbed.close()));
		found(recorder.result());
	},
};

function disconnect(testbed: Testbed): Contender {
	return {
		subject: testbed.kind.name,
		async round(): Promise<Sample> {
			const redis = testbed.redis as RedisServer;
			// Redis has all topics before the client has read all replies, but ioredis resubscribes only to topics whose
			// reply it has read. So wait for the replies.
			await Bun.sleep(SETTLE_MS);
			const all = await channelsOf(redis);
			const used = testbed.meter();
			const startedAt = now();
			await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
			await until(async () => (await channelsOf(redis)) >= all, {
				what: `${all} topics are subscribed again`,
				timeoutMs: 30_000,
			});
			const value = (now() - startedAt) / 1e6;
			return {
				value,
				delivered: 1,
				cpu: Object.fromEntries(Object.entries(used()).map(([name, ns]) => [name, ns / 1e3 / all])),
			};
		},
	};
}

async function channelsOf(redis: RedisServer): Promise<number> {
	return Number((await redis.info('stats'))['pubsub_channels']);
}
