import { SLOTS } from './cluster-formation.ts';
import { running, viewOf } from './cluster-node.ts';
import type { ClusterNode } from './cluster-node.ts';
import { describeEpochs, describeRoles, haveCollision } from './cluster-view.ts';
import type { ClusterView, NodeView } from './cluster-view.ts';
import { parseInfo } from './redis-info.ts';
import type { RedisInfo } from './redis-info.ts';
import { hasReplicas } from './replication.ts';

/** What a node says of itself and of the others. */
interface Look {
	readonly node: ClusterNode;
	readonly cluster: RedisInfo;
	readonly replication: RedisInfo;
	readonly view: ClusterView;
}

/** A replica may take a second until it gets its primary's stream. */
const PATIENCE_MS = 1500;

const UNSOUND = ['handshake', 'noaddr', 'fail?', 'fail'];

/**
 * Why the cluster is not ready, or `undefined`. Nodes that are killed or frozen don't count; a slot of theirs does, until
 * a replica took it over.
 */
export async function reasonNotReady(nodes: readonly ClusterNode[]): Promise<string | undefined> {
	const there = running(nodes);
	if (there.length === 0) return 'no node runs';
	try {
		const looks = await Promise.all(there.map(lookAt));
		return (
			firstOf(looks, saysOk) ??
			firstOf(looks, isLinked) ??
			firstOf(looks, (look) => sees(look, there)) ??
			agree(looks) ??
			(await lagging(looks))
		);
	} catch (error) {
		return String(error);
	}
}

async function lookAt(node: ClusterNode): Promise<Look> {
	const cluster = parseInfo(String(await node.command('CLUSTER', 'INFO')));
	return { node, cluster, replication: await node.info('replication'), view: await viewOf(node) };
}

function firstOf(looks: readonly Look[], problemOf: (look: Look) => string | undefined): string | undefined {
	for (const look of looks) {
		const problem = problemOf(look);
		if (problem !== undefined) return `${look.node.port} ${problem}`;
	}
	return undefined;
}

function saysOk({ cluster }: Look): string | undefined {
	if (cluster['cluster_state'] !== 'ok') return `says cluster_state:${cluster['cluster_state']}`;
	const assigned = Number(cluster['cluster_slots_assigned']);
	return assigned === SLOTS ? undefined : `knows the primary of ${assigned} slots only`;
}

function isLinked({ replication }: Look): string | undefined {
	const link = replication['master_link_status'] ?? 'up';
	return link === 'up' ? undefined : `is not linked to its primary on ${replication['master_port']}`;
}

function sees({ view }: Look, there: readonly ClusterNode[]): string | undefined {
	const isSound = ({ connected, flags }: NodeView): boolean => connected && !UNSOUND.some((flag) => flags.has(flag));
	const unseen = there.find(({ id }) => !view.some((node) => node.id === id && isSound(node)));
	const lost = view.find(({ id, slots }) => slots.length > 0 && !there.some((node) => node.id === id));
	if (unseen) return `does not see ${unseen.port}`;
	return lost && `still takes ${lost.port}, which is down, for the primary of its slots`;
}

function agree(looks: readonly Look[]): string | undefined {
	const ids = looks.map(({ node }) => node.id);
	for (const describe of [describeRoles, describeEpochs]) {
		const opinions = new Set(looks.map(({ view }) => describe(view, ids)));
		if (opinions.size > 1) return `the nodes disagree: ${[...opinions].join(' | ')}`;
	}
	return looks.some(({ view }) => haveCollision(view)) ? 'two primaries have the same epoch' : undefined;
}

async function lagging(looks: readonly Look[]): Promise<string | undefined> {
	const problems = looks.map(async ({ node }) => {
		const follows = ({ flags, primaryId }: NodeView): boolean => flags.has('myself') && primaryId === node.id;
		const count = looks.filter(({ view }) => view.some(follows)).length;
		const served = count === 0 || (await hasReplicas(node.command, count, PATIENCE_MS));
		return served ? undefined : `${node.port} does not reach its ${count} replica(s)`;
	});
	return (await Promise.all(problems)).find((problem) => problem !== undefined);
}
