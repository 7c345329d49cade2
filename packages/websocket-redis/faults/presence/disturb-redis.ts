import type { SingleRedis } from '../harness/backend.ts';
import { awayWhile, type Disturbance, LONG_MS } from './disturb.ts';

/** What breaks in a single Redis that has its data on disk. */
export const OF_REDIS: Readonly<Record<string, Disturbance<SingleRedis>>> = {
	'Redis killed, back with its data': (deployment) =>
		awayWhile(deployment, async () => {
			await deployment.backend.redis.kill();
			await deployment.backend.redis.restart();
		}),
	'Redis killed, back with its data after longer than the leases': (deployment) =>
		awayWhile(deployment, async () => {
			await deployment.backend.redis.kill();
			await Bun.sleep(LONG_MS);
			await deployment.backend.redis.restart();
		}),
	'Redis killed, back empty': (deployment) =>
		awayWhile(
			deployment,
			async () => {
				const { redis } = deployment.backend;
				await redis.command('FLUSHALL');
				await redis.kill();
				await redis.restart();
			},
			true,
		),
	'Redis flushed': (deployment) =>
		awayWhile(deployment, async () => void (await deployment.backend.redis.command('FLUSHALL')), true),
	'Redis frozen': (deployment) => frozen(deployment, 4_000),
	'Redis frozen for longer than the leases': (deployment) => frozen(deployment, LONG_MS),
	'subscribers killed': (deployment) => killed(deployment, 'pubsub'),
	'other connections killed': (deployment) => killed(deployment, 'normal', 'SKIPME', 'yes'),
	'scripts flushed': (deployment) =>
		awayWhile(deployment, async () => void (await deployment.backend.redis.command('SCRIPT', 'FLUSH'))),
};

const frozen = (deployment: Parameters<Disturbance<SingleRedis>>[0], forMs: number): Promise<void> =>
	awayWhile(deployment, async () => {
		deployment.backend.redis.freeze();
		await Bun.sleep(forMs);
		deployment.backend.redis.thaw();
	});

const killed = (deployment: Parameters<Disturbance<SingleRedis>>[0], ...which: readonly string[]): Promise<void> =>
	awayWhile(deployment, async () => void (await deployment.backend.redis.command('CLIENT', 'KILL', 'TYPE', ...which)));
