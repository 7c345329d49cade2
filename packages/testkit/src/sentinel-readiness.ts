import type { RedisServer } from './redis-server.ts';
import { hasReplicas } from './replication.ts';
import { askSentinel } from './sentinel-view.ts';
import type { SentinelView } from './sentinel-view.ts';

export interface SentinelParts {
	readonly name: string;
	readonly servers: readonly RedisServer[];
	readonly sentinels: readonly RedisServer[];
}

/**
 * Resolves with the reason why the primary, replicas and Sentinels are not ready, or with `undefined` if they are.
 * Ignores servers that are killed or frozen.
 */
export async function reasonNotReady({ name, servers, sentinels }: SentinelParts): Promise<string | undefined> {
	const running = sentinels.filter(({ state }) => state === 'running');
	if (running.length === 0) return 'no Sentinel is running';
	try {
		const ports = new Set<number>();
		for (const sentinel of running) {
			const view = await askSentinel(sentinel, name);
			const problem = problemOf(view, { name, servers, sentinels });
			if (problem !== undefined) return `the Sentinel on ${sentinel.port} ${problem}`;
			ports.add(Number(view.primary['port']));
		}
		if (ports.size > 1) return `the Sentinels disagree on the primary: ${[...ports].join(', ')}`;
		return await roleProblem(servers, [...ports][0]);
	} catch (error) {
		return String(error);
	}
}

function problemOf({ primary, replicas, quorum }: SentinelView, parts: SentinelParts): string | undefined {
	if (primary['flags'] !== 'master') return `reports the primary as ${primary['flags']}`;
	const others = Number(primary['num-other-sentinels']);
	if (others !== parts.sentinels.length - 1) return `knows ${others} other Sentinel(s)`;
	if (!quorum) return 'reaches too few other Sentinels for a failover';
	const followers = parts.servers.filter(({ port, state }) => state === 'running' && String(port) !== primary['port']);
	for (const { port } of followers) {
		const fields = replicas.find((replica) => replica['port'] === String(port));
		if (!fields) return `does not know the replica on ${port}`;
		// A Sentinel that knows only an outdated role would take the wrong action in the next failover.
		const isReplica = fields['flags'] === 'slave' && fields['role-reported'] === 'slave';
		const follows = fields['master-port'] === primary['port'] && fields['master-link-status'] === 'ok';
		if (!isReplica || !follows) return `does not yet know that ${port} follows ${primary['port']}`;
	}
	return undefined;
}

/**
 * Describes the first server that reports a wrong role itself. This role may differ from the one that the Sentinels
 * report: a restarted primary remains a primary until they demote it.
 */
async function roleProblem(
	servers: readonly RedisServer[],
	primaryPort: number | undefined,
): Promise<string | undefined> {
	const running = servers.filter(({ state }) => state === 'running');
	const primary = running.find(({ port }) => port === primaryPort);
	if (!primary) return `the primary on ${primaryPort} is down`;
	for (const server of running) {
		const { role, master_port: follows, master_link_status: link } = await server.info('replication');
		if (server === primary && role !== 'master') return `${server.port} should be primary and is ${role}`;
		if (server !== primary && !(role === 'slave' && follows === String(primaryPort) && link === 'up')) {
			return `${server.port} should follow ${primaryPort} and is ${role} of ${follows}, link ${link}`;
		}
	}
	const replicas = running.length - 1;
	const served = replicas === 0 || (await hasReplicas(primary.command, replicas));
	return served ? undefined : `${primaryPort} does not reach its ${replicas} replica(s)`;
}
