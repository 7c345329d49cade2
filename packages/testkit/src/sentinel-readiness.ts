import type { RedisServer } from './redis-server.ts';
import { hasReplicas } from './replication.ts';
import { askSentinel } from './sentinel-view.ts';
import type { SentinelView } from './sentinel-view.ts';

/** A replica may take a second until it gets its primary's stream. */
const PATIENCE_MS = 1500;

export interface SentinelParts {
	readonly name: string;
	readonly servers: readonly RedisServer[];
	readonly sentinels: readonly RedisServer[];
}

/** Why clients are not served and watched as they should be, or `undefined`. What is killed or frozen need not take part. */
export async function reasonNotReady({ name, servers, sentinels }: SentinelParts): Promise<string | undefined> {
	const asked = sentinels.filter(({ state }) => state === 'running');
	if (asked.length === 0) return 'no Sentinel runs';
	try {
		const ports = new Set<number>();
		for (const sentinel of asked) {
			const view = await askSentinel(sentinel, name);
			const problem = problemOf(view, { name, servers, sentinels });
			if (problem !== undefined) return `the Sentinel on ${sentinel.port} ${problem}`;
			ports.add(Number(view.primary['port']));
		}
		if (ports.size > 1) return `the Sentinels disagree on the primary: ${[...ports].join(', ')}`;
		return await outOfRole(servers, [...ports][0]);
	} catch (error) {
		return String(error);
	}
}

function problemOf({ primary, replicas, quorum }: SentinelView, parts: SentinelParts): string | undefined {
	if (primary['flags'] !== 'master') return `takes the primary for ${primary['flags']}`;
	const others = Number(primary['num-other-sentinels']);
	if (others !== parts.sentinels.length - 1) return `knows ${others} other(s)`;
	if (!quorum) return 'reaches too few others';
	const followers = parts.servers.filter(({ port, state }) => state === 'running' && String(port) !== primary['port']);
	for (const { port } of followers) {
		const fields = replicas.find((replica) => replica['port'] === String(port));
		if (!fields) return `does not know the replica on ${port}`;
		// It may still be thinking of the role the server had before, and would act on that when the next failover comes.
		const isSound = fields['flags'] === 'slave' && fields['role-reported'] === 'slave';
		const follows = fields['master-port'] === primary['port'] && fields['master-link-status'] === 'ok';
		if (!isSound || !follows) return `has not seen yet that ${port} follows ${primary['port']}`;
	}
	return undefined;
}

/** Servers may think otherwise than the Sentinels: a primary that comes back, until it is told. */
async function outOfRole(
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
	const served = replicas === 0 || (await hasReplicas(primary.command, replicas, PATIENCE_MS));
	return served ? undefined : `${primaryPort} does not reach its ${replicas} replica(s)`;
}
