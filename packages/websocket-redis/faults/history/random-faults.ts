import type { Crowd } from './crowd.ts';
import { some } from './seed.ts';

/** What is broken, and made whole again, while messages are published. None of it loses what Redis has accepted. */
const FAULTS: Readonly<Record<string, (crowd: Crowd) => Promise<void>>> = {
	async 'connections cut'({ followers }) {
		for (const follower of some(followers, 20)) follower.cut();
	},
	async 'clients kicked'({ nodes }) {
		await Promise.all(nodes.map((node) => node.kick(10)));
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
	async 'all cut off'({ redis }) {
		await redis.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
	},
	async 'scripts forgotten'({ redis }) {
		await redis.command('SCRIPT', 'FLUSH');
	},
	async 'Redis frozen'({ redis }) {
		redis.freeze();
		await Bun.sleep(2_500);
		redis.thaw();
	},
	async 'a link frozen'({ links }) {
		const [link] = some(links, 1);
		link?.freeze();
		await Bun.sleep(2_500);
		link?.thaw();
	},
	async 'a link cut'({ links }) {
		const [link] = some(links, 1);
		link?.cut();
	},
};

/** Under load breaks two things at random, one after the other. Resolves with their names when everybody has heard the last message. */
export async function randomRound(crowd: Crowd): Promise<string[]> {
	const names = some(Object.keys(FAULTS), 2);
	crowd.publish();
	await crowd.more(10);
	for (const name of names) {
		await FAULTS[name]?.(crowd);
		await crowd.more(5);
	}
	await crowd.settle();
	return names;
}
