import type { HistoryDeployment } from './history-deployment.ts';
import { sample } from './random.ts';

/**
 * The faults, all of which are repaired while messages are being published. None loses a message that Redis accepted.
 */
const FAULTS: Readonly<Record<string, (deployment: HistoryDeployment) => Promise<void>>> = {
	async 'client connections cut'({ clients }) {
		for (const client of sample(clients, 20)) client.cut();
	},
	async 'clients closed by their nodes'({ nodes }) {
		await Promise.all(nodes.map((node) => node.kick(10)));
	},
	async 'a node killed'({ nodes }) {
		const [node] = sample(nodes, 1);
		await node?.kill();
		await node?.restart();
	},
	async 'Redis killed'({ redis }) {
		await redis.kill();
		await redis.restart();
	},
	async 'subscribers killed'({ redis }) {
		await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
	},
	async 'all connections killed'({ redis }) {
		await redis.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
	},
	async 'scripts flushed'({ redis }) {
		await redis.command('SCRIPT', 'FLUSH');
	},
	async 'Redis frozen'({ redis }) {
		redis.freeze();
		await Bun.sleep(2_500);
		redis.thaw();
	},
	async 'connections of a node frozen'({ proxies }) {
		const [proxy] = sample(proxies, 1);
		proxy?.freeze();
		await Bun.sleep(2_500);
		proxy?.thaw();
	},
	async 'connections of a node cut'({ proxies }) {
		const [proxy] = sample(proxies, 1);
		proxy?.cut();
	},
};

/**
 * Injects two random faults under load, one after the other. Resolves with their names once every client has received
 * the last message.
 */
export async function randomRound(deployment: HistoryDeployment): Promise<string[]> {
	const names = sample(Object.keys(FAULTS), 2);
	deployment.publish();
	await deployment.untilAccepted(10);
	for (const name of names) {
		await FAULTS[name]?.(deployment);
		await deployment.untilAccepted(5);
	}
	await deployment.settle();
	return names;
}
