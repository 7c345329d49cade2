import { type RedisServer, until } from '@orijs/testkit';
import { now } from '../clock.ts';
import { alternate, type Contender } from '../harness/alternate.ts';
import { Ledger } from '../harness/ledger.ts';
import { Stage } from '../harness/stage.ts';
import { bareIoredis, orijs } from '../harness/subjects.ts';
import type { Sample } from '../report/results.ts';
import { count } from '../report/words.ts';
import type { Benchmark } from './benchmark.ts';

const CLIENTS = 1_000;
const TOPICS_EACH = 100;
const SETTLE_MS = 500;

export const resubscribe: Benchmark = {
	name: 'resubscribe',
	title: 'Resubscribe: the connection to Redis is lost with all its topics',
	async run(bench, found) {
		const clients = bench.upTo(CLIENTS);
		const topics = clients * TOPICS_EACH;
		const ledger = new Ledger({
			name: `${count(topics, 'topic')}, from the loss until Redis has them all again`,
			unit: 'ms',
			better: 'lower',
			baseline: bareIoredis.name,
			target: { subject: orijs.name, limit: 500, of: 'value' },
		});
		const stages: Stage[] = [];
		for (const kind of bench.chosen([bareIoredis, orijs], bareIoredis)) {
			const overRedis = { ...kind, overRedis: true };
			const stage = await Stage.open(bench, overRedis, {
				clients: Array.from({ length: clients }, () => []),
				nodes: 1,
			});
			await stage.publisher.ask({ do: 'subscribe', clients, topicsEach: TOPICS_EACH });
			stages.push(stage);
		}
		await alternate(stages.map(loss), bench.effort.rounds, ledger);
		await Promise.all(stages.map((stage) => stage.close()));
		found(ledger.result());
	},
};

function loss(stage: Stage): Contender {
	return {
		subject: stage.kind.name,
		async round(): Promise<Sample> {
			const redis = stage.redis as RedisServer;
			// Redis has all topics before the client has read that it has; ioredis only knows of those it has read of.
			await Bun.sleep(SETTLE_MS);
			const all = await channelsOf(redis);
			const used = stage.meter();
			const startedAt = now();
			await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
			await until(async () => (await channelsOf(redis)) >= all, { what: `${all} topics are back`, timeoutMs: 30_000 });
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
