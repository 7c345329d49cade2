import { between, pick, random, sample } from '../history/random.ts';
import type { ClusterDeployment } from './cluster-deployment.ts';
import type { NodeProcess } from './node-process.ts';

/** What breaks in a node; each resolves once it is repaired. */
const OF_A_NODE: Readonly<Record<string, (node: NodeProcess) => Promise<void>>> = {
	async killed(node) {
		await node.kill();
		await Bun.sleep(between(0, 4_000));
		await node.start();
	},
	async restarted(node) {
		await node.stop();
		await node.start();
	},
	async frozen(node) {
		node.freeze();
		await Bun.sleep(between(300, 6_000));
		node.thaw();
	},
	async 'cut off'({ links }) {
		links.cut();
		await Bun.sleep(between(100, 6_000));
		links.repair();
	},
	async 'its links frozen'({ links }) {
		links.freeze();
		await Bun.sleep(between(300, 4_000));
		links.repair();
	},
	async 'its subscriptions dead'({ links }) {
		links.swallow();
		await Bun.sleep(between(1_000, 4_000));
		links.repair();
	},
};

/** What was broken, and when, in milliseconds since the epoch. */
export interface Disturbance {
	readonly at: number;
	readonly what: string;
}

/** How long nothing breaks between two disturbances, in milliseconds. */
const PAUSE_MS = 1_000;
const CLIENTS_LEAVING = 5;
/** How often it is the backend that breaks. */
const OF_THE_BACKEND = 0.15;

/**
 * Breaks one node after the other until `endAt` (by the monotonic clock), and makes clients leave and come back.
 * Several can run at once. Resolves with what was broken once all is repaired.
 *
 * @param broken the nodes that are broken now, shared by those that run at once: fewer than there are nodes
 * @param ofTheBackend what breaks in the backend; each resolves once it is repaired
 */
export async function disturb(
	deployment: ClusterDeployment,
	endAt: number,
	broken: Set<NodeProcess>,
	ofTheBackend: Readonly<Record<string, () => Promise<void>>>,
): Promise<Disturbance[]> {
	const done: Disturbance[] = [];
	while (performance.now() < endAt) {
		await Bun.sleep(between(PAUSE_MS / 4, PAUSE_MS));
		for (const client of sample(deployment.clients, CLIENTS_LEAVING)) void client.leave();
		if (random() < OF_THE_BACKEND) {
			const [name] = sample(Object.keys(ofTheBackend), 1);
			if (name === undefined) continue;
			const from = Date.now();
			done.push({ at: from, what: name });
			await ofTheBackend[name]?.();
			deployment.outages.push({ from, until: Date.now() });
			continue;
		}
		const node = pick(deployment.nodes.filter((each) => !broken.has(each)));
		const name = pick(Object.keys(OF_A_NODE));
		broken.add(node);
		done.push({ at: Date.now(), what: `${node.name} ${name}` });
		await OF_A_NODE[name]?.(node);
		broken.delete(node);
	}
	return done;
}
