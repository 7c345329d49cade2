import { SLOTS } from './cluster-formation.ts';
import { running, viewOf } from './cluster-node.ts';
import type { ClusterNode } from './cluster-node.ts';
import { describeEpochs, describeRoles, haveCollision } from './cluster-view.ts';
import type { ClusterView, NodeView } from './cluster-view.ts';
import { parseInfo } from './redis-info.ts';
import type { RedisInfo } from './redis-info.ts';
import { hasReplicas } from './replication.ts';

/** A node's report about itself and the other nodes. */
interface NodeReport {
	readonly node: ClusterNode;
	readonly cluster: RedisInfo;
	readonly replication: RedisInfo;
	readonly view: ClusterView;
}

const UNHEALTHY_FLAGS = ['handshake', 'noaddr', 'fail?', 'fail'];

/**
 * Resolves with the reason why the cluster is not ready, or with `undefined` if it is ready. Ignores nodes that are
 * killed or frozen. The cluster is not ready, however, until replicas have taken over the slots of such nodes.
 */
export async function reasonNotReady(nodes: readonly ClusterNode[]): Promise<string | undefined> {
	const runningNodes = running(nodes);
	if (runningNodes.length === 0) return 'no node is running';
	try {
		const reports = await Promise.all(runningNodes.map(reportOf));
		return (
			firstProblem(reports, stateProblem) ??
			firstProblem(reports, linkProblem) ??
			firstProblem(reports, (report) => viewProblem(report, runningNodes)) ??
			disagreement(reports) ??
			(await replicationProblem(reports))
		);
	} catch (error) {
		return String(error);
	}
}

async function reportOf(node: ClusterNode): Promise<NodeReport> {
	const cluster = parseInfo(String(await node.command('CLUSTER', 'INFO')));
	return { node, cluster, replication: await node.info('replication'), view: await viewOf(node) };
}

function firstProblem(
	reports: readonly NodeReport[],
	problemOf: (report: NodeReport) => string | undefined,
): string | undefined {
	for (const report of reports) {
		const problem = problemOf(report);
		if (problem !== undefined) return `${report.node.port} ${problem}`;
	}
	return undefined;
}

function stateProblem({ cluster }: NodeReport): string | undefined {
	if (cluster['cluster_state'] !== 'ok') return `reports cluster_state:${cluster['cluster_state']}`;
	const assigned = Number(cluster['cluster_slots_assigned']);
	return assigned === SLOTS ? undefined : `knows the primaries of only ${assigned} slots`;
}

function linkProblem({ replication }: NodeReport): string | undefined {
	const link = replication['master_link_status'] ?? 'up';
	return link === 'up' ? undefined : `is not connected to its primary on ${replication['master_port']}`;
}

function viewProblem({ view }: NodeReport, runningNodes: readonly ClusterNode[]): string | undefined {
	const isHealthy = ({ connected, flags }: NodeView): boolean =>
		connected && !UNHEALTHY_FLAGS.some((flag) => flags.has(flag));
	const missing = runningNodes.find(({ id }) => !view.some((node) => node.id === id && isHealthy(node)));
	const dead = view.find(({ id, slots }) => slots.length > 0 && !runningNodes.some((node) => node.id === id));
	if (missing) return `does not see ${missing.port}`;
	return dead && `still assigns slots to ${dead.port}, which is down`;
}

function disagreement(reports: readonly NodeReport[]): string | undefined {
	const ids = reports.map(({ node }) => node.id);
	for (const describe of [describeRoles, describeEpochs]) {
		const descriptions = new Set(reports.map(({ view }) => describe(view, ids)));
		if (descriptions.size > 1) return `the nodes disagree: ${[...descriptions].join(' | ')}`;
	}
	return reports.some(({ view }) => haveCollision(view)) ? 'two primaries have the same epoch' : undefined;
}

async function replicationProblem(reports: readonly NodeReport[]): Promise<string | undefined> {
	const problems = reports.map(async ({ node }) => {
		const follows = ({ flags, primaryId }: NodeView): boolean => flags.has('myself') && primaryId === node.id;
		const count = reports.filter(({ view }) => view.some(follows)).length;
		const served = count === 0 || (await hasReplicas(node.command, count));
		return served ? undefined : `${node.port} does not reach its ${count} replica(s)`;
	});
	return (await Promise.all(problems)).find((problem) => problem !== undefined);
}
