import type { Backend } from '../harness/backend.ts';
import { between, pick, sample } from '../history/random.ts';
import type { PresenceDeployment } from './presence-deployment.ts';
import type { PresenceNode } from './presence-node.ts';

/** Breaks something, and resolves once it is repaired. */
export type Disturbance<B extends Backend = Backend> = (deployment: PresenceDeployment<B>) => Promise<void>;

/** Less, and more, than a lease lasts, in milliseconds. */
const SHORT_MS = { min: 500, max: 5_000 } as const;
export const LONG_MS = 13_000;

/** What breaks in nodes and their links, whatever the backend is. */
export const OF_NODES: Readonly<Record<string, Disturbance>> = {
	async 'a node killed, its clients come back elsewhere'(deployment) {
		const node = pick(deployment.nodes);
		await deployment.kill(node);
		await Bun.sleep(between(SHORT_MS.min, SHORT_MS.max));
		await node.start();
	},
	async 'a node killed, its clients stay away'(deployment) {
		const node = pick(deployment.nodes);
		const gone = deployment.clientsOf(node);
		await deployment.kill(node);
		for (const client of gone) client.leave('terminate');
		await Bun.sleep(LONG_MS + 3_000);
		await node.start();
	},
	async 'a node stopped in order, and started again'(deployment) {
		await restart(deployment, pick(deployment.nodes));
	},
	async 'a rolling restart'(deployment) {
		for (const node of deployment.nodes) await restart(deployment, node);
	},
	'a node frozen': (deployment) => frozen(deployment, between(SHORT_MS.min, SHORT_MS.max)),
	'a node frozen for longer than its lease': (deployment) => frozen(deployment, LONG_MS),
	"a node's links cut": (deployment) => brokenLinks(deployment, [pick(deployment.nodes)], 'cut', 3_000),
	"a node's links cut for longer than its lease": (deployment) =>
		brokenLinks(deployment, [pick(deployment.nodes)], 'cut', LONG_MS),
	"a node's links frozen": (deployment) => brokenLinks(deployment, [pick(deployment.nodes)], 'freeze', 4_000),
	"a node's links frozen for longer than its lease": (deployment) =>
		brokenLinks(deployment, [pick(deployment.nodes)], 'freeze', LONG_MS),
	"a node's subscriptions dead": (deployment) => brokenLinks(deployment, [pick(deployment.nodes)], 'swallow', 4_000),
	'all links cut': (deployment) => brokenLinks(deployment, deployment.nodes, 'cut', 3_000),
	'all links cut for longer than the leases': (deployment) => brokenLinks(deployment, deployment.nodes, 'cut', LONG_MS),
	async 'all clients reload'({ clients }) {
		for (const client of clients) client.reload(between(0, 1_500), pick(['close', 'terminate'] as const));
		await Bun.sleep(2_000);
	},
	async 'a third of the clients leaves and comes back'({ clients }) {
		const leaving = sample(clients, Math.floor(clients.length / 3));
		for (const client of leaving) client.leave();
		await Bun.sleep(6_000);
		for (const client of leaving) client.come();
	},
};

async function restart(deployment: PresenceDeployment, node: PresenceNode): Promise<void> {
	await deployment.stopNode(node);
	await node.start();
}

async function frozen({ nodes, recorder }: PresenceDeployment, forMs: number): Promise<void> {
	const node = pick(nodes);
	console.log(`node ${node.name} is frozen for ${forMs} ms`);
	const repaired = recorder.outage(node.name, false);
	node.process.freeze();
	await Bun.sleep(forMs);
	node.process.thaw();
	repaired();
}

async function brokenLinks(
	{ nodes: all, recorder }: PresenceDeployment,
	nodes: readonly PresenceNode[],
	how: 'cut' | 'freeze' | 'swallow',
	forMs: number,
): Promise<void> {
	// If all are cut off, it is the backend that is away: no lease ends by it.
	const repaired =
		nodes.length === all.length
			? [recorder.outage(undefined, true)]
			: nodes.map(({ name }) => recorder.outage(name, true));
	console.log(`${how} of node ${nodes.map(({ name }) => name).join()} for ${forMs} ms`);
	for (const { links } of nodes) links[how]();
	await Bun.sleep(forMs);
	for (const { links } of nodes) links.repair();
	for (const done of repaired) done();
}

/** Notes that the backend is away while `broken` runs. */
export async function awayWhile(
	{ recorder }: PresenceDeployment,
	broken: () => Promise<void>,
	hasLostData = false,
): Promise<void> {
	const repaired = recorder.outage(undefined, true, hasLostData);
	await broken();
	repaired();
}
