import { brokenPromises } from '../ledger/promises.ts';
import type { Run } from '../ledger/run.ts';
import { judge, type Verdict } from '../ledger/verdict.ts';
import type { Account } from '../node/protocol.ts';
import type { Backend } from './backend.ts';
import type { Fault, Outage } from './fault.ts';
import { watchLag } from './machine-lag.ts';
import { notReady, settle, warmUp } from './settle.ts';
import { HEARTBEAT_MS, World } from './world.ts';

/** The load goes on for so long before the fault, in milliseconds, */
const BEFORE_MS = 750;
/** for so long after it, */
const AFTER_MS = 1_500;
/** and for so long after the nodes say that they are ready again. */
const AFTER_READY_MS = 250;

/** A gap may begin with the last heartbeat that was heard before the fault, and this much earlier on a busy machine. */
const GAP_SLACK_MS = HEARTBEAT_MS + 500;
/** The promise is 1,500 ms. The rest is room for a machine with two cores that runs everything. */
const MAX_RECOVERY_MS = 3_000;
/** Not a measure of speed: it tells a delivery that waited for Redis, which would take as long as the outage. */
const MAX_LOCAL_LATENCY_MS = 250;
/** A backend that hangs is noticed by then, and what it did not answer is rejected. */
const MAX_REMOTE_LATENCY_MS = 4 * HEARTBEAT_MS;
/** What a publish may reject with while the backend is away; the second for a `send` that no node was there to hear. */
const REJECTIONS = new Set(['BusUnavailableError', 'UnknownSocketError']);

export interface FaultResult {
	readonly verdict: Verdict;
	/** Every promise that was broken, as a sentence. */
	readonly broken: readonly string[];
}

export async function runFault<B extends Backend>(fault: Fault<B>): Promise<FaultResult> {
	const world = await World.open(await fault.backend(), fault.stage);
	const lag = watchLag();
	try {
		await world.publish();
		await Bun.sleep(BEFORE_MS);
		await warmUp(world);
		const outage = await fault.inject(world);
		await Bun.sleep(AFTER_MS);
		await notReady(world);
		await Bun.sleep(AFTER_READY_MS);
		await world.halt();
		const unsettled = await settle(world);
		const accounts = await Promise.all(world.nodes.map((node) => node.account()));
		const verdict = judge(recordOf(world, accounts, outage, fault));
		const excused = (fault.heldUpMs ?? 0) + lag.maxMs();
		const broken = brokenPromises(verdict, {
			gapsPerTopic: fault.gapsPerTopic ?? 1,
			mustLose: fault.mayLoseNothing !== true,
			maxRecoveryMs: MAX_RECOVERY_MS,
			maxLocalLatencyMs: MAX_LOCAL_LATENCY_MS + excused,
			maxRemoteLatencyMs: MAX_REMOTE_LATENCY_MS + excused,
		});
		if (unsettled !== undefined) broken.push(`no quiet after the fault: ${unsettled}`);
		return { verdict, broken: [...broken, ...incidents(world, accounts)] };
	} finally {
		lag.stop();
		await world.close();
	}
}

function recordOf<B extends Backend>(
	{ nodes, receivers, backend }: World<B>,
	accounts: readonly Account[],
	outage: Outage,
	fault: Fault<B>,
): Run {
	const named = accounts.map((account, i) => ({ node: nodes[i]?.name ?? '', account }));
	return {
		...outage,
		exposure: (node, topic) => fault.exposure(node, topic, backend),
		slackBefore: fault.gapSlackMs ?? GAP_SLACK_MS,
		slackAfter: MAX_RECOVERY_MS,
		receivers,
		publishers: named.map(({ node, account }) => ({ node, channels: account.sent })),
		gaps: named.flatMap(({ node, account }) => account.gaps.map((gap) => ({ node, ...gap }))),
	};
}

/** What must not happen, whatever is counted. */
function incidents({ nodes, receivers }: World, accounts: readonly Account[]): string[] {
	const unhandled = accounts.flatMap((account, i) => account.unhandled.map((what) => `on ${nodes[i]?.name}: ${what}`));
	const rejections = accounts.flatMap(({ rejections }) =>
		[...rejections.keys()].filter((name) => !REJECTIONS.has(name)),
	);
	const gone = receivers.filter((receiver) => !receiver.isConnected()).map(({ name }) => name);
	return [
		...unhandled.map((what) => `unhandled ${what}`),
		...rejections.map((name) => `a publish was rejected with ${name}`),
		...gone.map((name) => `client ${name} lost its connection`),
	];
}
