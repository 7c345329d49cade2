import { type FreezeOptions, type ProxyLink, RedisReplyError, type TcpProxy, until } from '@orijs/testkit';
import type { Random } from '../random.ts';
import type { Damage, Way } from '../schedule/fault.ts';
import { NODES, type NodeName } from '../settings.ts';
import type { Deployment } from './deployment.ts';

/** How long a copy of Redis may take, in milliseconds; without one in time, the other server is led to as it is. */
const COPY_MS = 2_000;

/** Breaks something; resolves once it is repaired. @param random for what the schedule leaves open */
export async function inject(deployment: Deployment, damage: Damage, random: Random): Promise<void> {
	const { redis, nodes } = deployment;
	const forMs = 'forMs' in damage ? damage.forMs : 0;
	switch (damage.kind) {
		case 'node killed':
		case 'node stopped': {
			const node = nodes[damage.node];
			const undo = damage.moves ? moveClients(deployment, damage.node, random) : () => {};
			if (damage.kind === 'node killed') await killWithout(deployment, damage.node, damage.heldMs);
			else await node.stop();
			await Bun.sleep(damage.forMs);
			// It may take until Redis can be reached.
			await node.start();
			return undo();
		}
		case 'node frozen':
			nodes[damage.node].freeze();
			await Bun.sleep(forMs);
			return nodes[damage.node].thaw();
		case 'node stalled':
			nodes[damage.node].tell({ do: 'stall', ms: forMs });
			return Bun.sleep(forMs);
		case 'Redis killed':
			await redis.kill();
			await Bun.sleep(forMs);
			return redis.restart();
		case 'Redis frozen':
			redis.freeze();
			await Bun.sleep(forMs);
			return redis.thaw();
		case 'Redis flushed':
			return until(() => isFlushed(redis), { what: 'Redis has loaded its data and can be flushed' });
		case 'subscribers killed':
			return void (await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub'));
		case 'connections killed':
			return void (await redis.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'));
		case 'link cut':
		case 'link frozen':
		case 'link half-open':
		case 'link delayed':
			return breakLink(deployment.links[damage.node], damage);
		case 'link led elsewhere':
			return leadElsewhere(deployment, damage.node, damage.to, forMs);
		case 'clients kicked':
			return nodes[damage.node].tell({ do: 'kick', share: damage.share });
		case 'clients cut':
			for (const link of share(deployment.balancers[damage.node], damage.share, random)) link.cut();
			return;
		case 'clients frozen': {
			const links = share(deployment.balancers[damage.node], damage.share, random);
			for (const link of links) link.freeze();
			await Bun.sleep(forMs);
			for (const link of links) link.thaw();
			return;
		}
		case 'clock set':
			return deployment.clocks[damage.of].set(damage.offsetMs);
	}
}

/** Kills a node of which nothing has reached Redis for so long, in milliseconds. */
async function killWithout({ nodes, links }: Deployment, node: NodeName, heldMs: number): Promise<void> {
	if (heldMs === 0) return nodes[node].kill();
	links[node].freeze(undefined, { direction: 'toServer' });
	await Bun.sleep(heldMs);
	await nodes[node].kill();
	links[node].cut();
	links[node].thaw();
}

async function breakLink(
	proxy: TcpProxy,
	damage: Extract<Damage, { kind: 'link cut' | 'link frozen' | 'link half-open' | 'link delayed' }>,
): Promise<void> {
	switch (damage.kind) {
		case 'link cut':
			proxy.refuse(true);
			proxy.cut();
			await Bun.sleep(damage.forMs);
			return proxy.refuse(false);
		case 'link frozen':
			proxy.freeze(undefined, freezing(damage.way));
			await Bun.sleep(damage.forMs);
			return void proxy.thaw();
		case 'link half-open': {
			const links = proxy.links();
			for (const link of links) link.freeze(freezing(damage.way));
			await Bun.sleep(damage.forMs);
			// What was sent meanwhile never arrives.
			for (const link of links) link.cut();
			return;
		}
		case 'link delayed':
			proxy.delay(damage.ms, freezing(damage.way));
			await Bun.sleep(damage.forMs);
			return proxy.delay(0);
	}
}

function freezing(way: Way): FreezeOptions {
	return way === 'both' ? {} : { direction: way };
}

/** Flushes Redis. Returns false if it was just restarted and still loads its data. */
async function isFlushed(redis: Deployment['redis']): Promise<boolean> {
	try {
		await redis.command('FLUSHALL');
		return true;
	} catch (error) {
		if (error instanceof RedisReplyError && error.message.startsWith('LOADING')) return false;
		throw error;
	}
}

async function leadElsewhere(
	{ redis, otherRedis, links }: Deployment,
	node: NodeName,
	to: 'copy' | 'empty',
	forMs: number,
): Promise<void> {
	if (to === 'empty') await otherRedis.command('FLUSHALL');
	else {
		await otherRedis.command('REPLICAOF', redis.host, String(redis.port));
		await otherRedis.linkUp(COPY_MS).catch(() => {});
		await otherRedis.command('REPLICAOF', 'NO', 'ONE');
	}
	const link = links[node];
	link.retarget({ port: otherRedis.port });
	link.cut();
	await Bun.sleep(forMs);
	link.retarget({ port: redis.port });
	link.cut();
}

/** New connections of the group's clients lead to another node. Returns the undo. */
function moveClients({ balancers, nodes }: Deployment, from: NodeName, random: Random): () => void {
	const to = random.pick(NODES.filter((name) => name !== from));
	balancers[from].retarget({ port: nodes[to].port });
	return () => balancers[from].retarget({ port: nodes[from].port });
}

function share(proxy: TcpProxy, part: number, random: Random): ProxyLink[] {
	const links = proxy.links();
	return random.sample(links, Math.ceil(links.length * part));
}
