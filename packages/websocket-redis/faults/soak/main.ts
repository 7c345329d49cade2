/**
 * Breaks things at random for as long as it is told, and counts: no client may miss a message, hear one twice or out of order. Not part of the
 * tests; a run prints its seed, with which another one makes the same choices.
 *
 *     bun run soak                      ten minutes
 *     MINUTES=60 SEED=7 bun run soak
 */
import { Crowd } from '../history/crowd.ts';
import { balance } from '../history/ledger.ts';
import { some } from '../history/seed.ts';

const minutes = Number(process.env['MINUTES'] ?? 10);
if (!(minutes > 0 && minutes <= 24 * 60)) throw new Error(`MINUTES must be a number from 0 to 1,440, not ${minutes}`);

/** What is broken, and made whole again. None of it loses what Redis has accepted. */
const FAULTS: Readonly<Record<string, (crowd: Crowd) => Promise<void>>> = {
	async 'connections cut'({ followers }) {
		for (const follower of some(followers, 20)) follower.cut();
	},
	async 'a node killed'({ nodes }) {
		const [node] = some(nodes, 1);
		await node?.kill();
		await node?.restart();
	},
	async 'Redis killed'({ redis }) {
		await redis.kill();
		await redis.restart();
	},
	async 'subscribers cut off'({ redis }) {
		await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
	},
	async 'scripts forgotten'({ redis }) {
		await redis.command('SCRIPT', 'FLUSH');
	},
	async 'Redis frozen'({ redis }) {
		redis.freeze();
		await Bun.sleep(2_500);
		redis.thaw();
	},
};

const crowd = await Crowd.gather();
const deadline = Date.now() + minutes * 60_000;
let rounds = 0;
let wrong = 0;
try {
	while (Date.now() < deadline && wrong === 0) {
		const names = some(Object.keys(FAULTS), 2);
		crowd.publish();
		await crowd.more(10);
		for (const name of names) {
			await FAULTS[name]?.(crowd);
			await crowd.more(5);
		}
		await crowd.settle();
		let recovered = 0;
		for (const { topic, told } of crowd.followers) {
			const { missing, duplicates, inversions } = balance(told, crowd.topics.get(topic)?.published ?? []);
			wrong += missing.length + duplicates.length + inversions.length;
			recovered += told.filter((one) => one.kind === 'recovered' && one.count > 0).length;
		}
		const published = [...crowd.topics.values()].reduce((sum, each) => sum + each.published.length, 0);
		console.log(
			`${++rounds}: ${names.join(', ')}; ${published} published, ${recovered} times recovered so far, ${wrong} wrong`,
		);
	}
} finally {
	await crowd.disperse();
}
process.exit(wrong === 0 ? 0 : 1);
