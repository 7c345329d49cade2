import { TimeoutError, until } from '@orijs/testkit';
import { trueNow } from '../record/true-time.ts';
import type { Round } from '../node/protocol.ts';
import { GIVEN_TOPICS, NODES, TOPICS, WITNESS_TOPICS } from '../settings.ts';
import type { Deployment } from './deployment.ts';

/** How long it may take until all nodes are ready once nothing is broken, in milliseconds. */
const READY_MS = 20_000;
/**
 * A node that was killed is noticed after ten seconds of silence; then the others gather what they report for up to
 * 1,250 ms. In milliseconds.
 */
const SILENCE_MS = 13_000;
/** How long the last messages may take, in milliseconds. A topic with history may have to be read. */
const ROUND_MS = 4_000;
const ROUNDS = 4;
/** Late duplicates and gaps arrive within this time, in milliseconds. */
const STRAGGLERS_MS = 2_000;
/** How long channels may stay subscribed on Redis that no node needs, in milliseconds: a second of grace, and more. */
const CHANNELS_MS = 6_000;

export interface Rest {
	/** When all was quiet; true time. */
	readonly endAt: number;
	/** What did not become as it has to be: sentences. */
	readonly unsettled: string[];
	/** Promises that did not settle. */
	readonly stuck: string[];
	/** Channels on Redis that no node needs. */
	readonly leaked: string[];
}

/**
 * Waits until everything that was broken works again and is quiet, and everybody leaves.
 *
 * @param lastKillAt when a node was killed last; true time
 */
export async function settle(deployment: Deployment, lastKillAt: number): Promise<Rest> {
	const unsettled: string[] = [];
	const stuck: string[] = [];
	const add = (problem: string | undefined): void => void (problem !== undefined && unsettled.push(problem));
	add(await ready(deployment));
	stuck.push(...(await deployment.askClients<string[]>({ do: 'settle' })));
	await Bun.sleep(Math.max(0, lastKillAt + SILENCE_MS - trueNow()));
	await all(deployment, (name) => deployment.nodes[name].ask({ do: 'stop publishing' }));
	add(await lastRounds(deployment));
	await Bun.sleep(STRAGGLERS_MS);

	const endAt = trueNow();
	const pending = await all(deployment, (name) => deployment.nodes[name].ask<number>({ do: 'pending' }));
	pending.forEach((count, i) => count > 0 && stuck.push(`${count} publishes of node ${NODES[i]}`));
	stuck.push(...(await deployment.askClients<string[]>({ do: 'leave' })));
	await all(deployment, (name) => deployment.nodes[name].ask({ do: 'leave' }));
	const leaked = await leakedChannels(deployment, isForTopicOrSocket);
	await all(deployment, (name) => deployment.nodes[name].stop());
	leaked.push(...(await leakedChannels(deployment, () => true)));
	return { endAt, unsettled, stuck, leaked };
}

async function ready({ nodes }: Deployment): Promise<string | undefined> {
	let statuses: string[] = [];
	const isReady = await becomesTrue(READY_MS, async () => {
		if (NODES.some((name) => !nodes[name].isUp)) return false;
		statuses = await Promise.all(NODES.map((name) => nodes[name].ask<string>({ do: 'status' })));
		return statuses.every((status) => status === 'ready');
	});
	return isReady ? undefined : `the nodes did not become ready: ${statuses.join(', ') || 'not all have started'}`;
}

/** Publishes one more message on every channel, until all of them arrive. */
async function lastRounds(deployment: Deployment): Promise<string | undefined> {
	const { nodes } = deployment;
	let missing: string[] = [];
	for (let i = 0; i < ROUNDS; i++) {
		const numbers = await all(deployment, (name) => nodes[name].ask<Round>({ do: 'round' }));
		const rounds = new Map(NODES.map((name, at) => [nodes[name].current, numbers[at] ?? new Map()]));
		const haveArrived = await becomesTrue(ROUND_MS, async () => {
			missing = await deployment.askClients<string[]>({ do: 'missing', rounds });
			for (const name of NODES) {
				const last = await nodes[name].ask<ReadonlyMap<string, number>>({ do: 'last' });
				for (const [by, round] of rounds) {
					for (const channel of WITNESS_TOPICS) {
						const n = round.get(channel) ?? -1;
						if ((last.get(`${by} ${channel}`) ?? -1) < n) missing.push(`${n} of ${by} on ${channel} to node ${name}`);
					}
				}
			}
			return missing.length === 0;
		});
		if (haveArrived) return undefined;
	}
	return `the last messages did not arrive: ${missing.length}, such as ${missing.slice(0, 3).join('; ')}`;
}

/** Returns the channels that are still subscribed to, on either server, once there was time to unsubscribe. */
async function leakedChannels(
	{ redis, otherRedis }: Deployment,
	concerns: (channel: string) => boolean,
): Promise<string[]> {
	let leaked: string[] = [];
	await becomesTrue(CHANNELS_MS, async () => {
		const channels = await Promise.all([redis, otherRedis].map((server) => server.command('PUBSUB', 'CHANNELS')));
		leaked = channels.flatMap((each) => each as string[]).filter(concerns);
		return leaked.length === 0;
	});
	return leaked;
}

function isForTopicOrSocket(channel: string): boolean {
	const name = channel.slice(channel.indexOf(':') + 1);
	return name.startsWith('@') || [...TOPICS, ...GIVEN_TOPICS].some((topic) => topic === name);
}

function all<Value>({ nodes }: Deployment, ask: (name: (typeof NODES)[number]) => Promise<Value>): Promise<Value[]> {
	return Promise.all(NODES.filter((name) => nodes[name].isUp).map(ask));
}

/** Whether the condition holds in time. */
async function becomesTrue(timeoutMs: number, condition: () => Promise<boolean>): Promise<boolean> {
	try {
		await until(condition, { what: '', timeoutMs });
		return true;
	} catch (error) {
		if (error instanceof TimeoutError) return false;
		throw error;
	}
}
