import { brokenGuarantees } from '../counting/guarantees.ts';
import type { Run } from '../counting/run.ts';
import { countRun } from '../counting/count-run.ts';
import type { Counts } from '../counting/counts.ts';
import type { NodeReport } from '../node/protocol.ts';
import type { Backend } from './backend.ts';
import { type Beats, beatsOf, COLLECTED_LAG_MS } from './beats.ts';
import { type Condition, NO_TOLERANCE, type Tolerance } from './condition.ts';
import type { Fault } from './fault.ts';
import type { Outage } from './outage.ts';
import { watchLag } from './machine-lag.ts';
import { notReady, settle, warmUp } from './settle.ts';
import { HEARTBEAT_MS, Deployment } from './deployment.ts';

/** How long the nodes publish before the fault, in milliseconds. */
const BEFORE_MS = 750;
/** How long the nodes publish after the fault, in milliseconds. */
const AFTER_MS = 1_500;
/** How long the nodes publish after all of them are ready again, in milliseconds. */
const AFTER_READY_MS = 250;

/**
 * How much earlier than the fault a gap may begin, in milliseconds: with the last heartbeat received before, and even
 * earlier on a busy machine.
 */
const GAP_SLACK_MS = HEARTBEAT_MS + 500;
/**
 * The longest allowed recovery, in milliseconds: the guaranteed 1,500, and a margin because two cores run everything.
 */
const MAX_RECOVERY_MS = 3_000;
/** The longest allowed local delivery, in milliseconds. One that waited for Redis would take as long as the outage. */
const MAX_LOCAL_LATENCY_MS = 250;
/**
 * The longest allowed delivery to another node, in milliseconds. By then, a node has noticed a backend that hangs, and
 * rejected its pending publishes.
 */
const MAX_REMOTE_LATENCY_MS = 4 * HEARTBEAT_MS;
/**
 * The errors with which a publish may reject during an outage; the second one is for a `send` that no node received.
 */
const REJECTIONS = new Set(['BusUnavailableError', 'UnknownSocketError']);

export interface FaultResult {
	readonly counts: Counts;
	readonly beats: Beats;
	/** Each broken guarantee, as a sentence. */
	readonly broken: readonly string[];
}

/**
 * Runs the nodes under load, injects the fault, and checks the guarantees.
 *
 * @param condition what else happens; default: nothing
 */
export async function runFault<B extends Backend>(fault: Fault<B>, condition?: Condition): Promise<FaultResult> {
	const beats = beatsOf(fault.name, condition);
	const tolerance = toleranceOf(condition, beats);
	const deployment = await Deployment.open(fault.backend, fault.scenario, condition, beats);
	const lag = watchLag();
	try {
		await deployment.publish();
		await Bun.sleep(BEFORE_MS);
		await warmUp(deployment);
		const inject = (): Promise<Outage> => fault.inject(deployment);
		const outage = await (condition?.around?.(deployment, inject) ?? inject());
		await Bun.sleep(AFTER_MS);
		await notReady(deployment);
		await Bun.sleep(AFTER_READY_MS);
		await deployment.stopPublishing();
		const unsettled = await settle(deployment);
		const reports = await Promise.all(deployment.nodes.map((node) => node.report()));
		const counts = countRun(recordOf({ deployment, reports, outage, fault, tolerance, lagMs: lag.maxMs() }));
		const toleratedMs = (fault.delayMs ?? 0) + tolerance.delayMs + lag.maxMs();
		const broken = brokenGuarantees(counts, {
			gapsPerTopic: (fault.gapsPerTopic ?? 1) + tolerance.gapsPerTopic,
			mustLose: fault.mayLoseNothing !== true && !tolerance.mayLoseNothing,
			maxRecoveryMs: MAX_RECOVERY_MS + tolerance.recoveryMs,
			maxLocalLatencyMs: MAX_LOCAL_LATENCY_MS + toleratedMs,
			maxRemoteLatencyMs: MAX_REMOTE_LATENCY_MS + toleratedMs,
		});
		if (unsettled !== undefined) broken.push(`not settled after the fault: ${unsettled}`);
		return { counts, beats, broken: [...broken, ...incidents(deployment, reports)] };
	} finally {
		lag.stop();
		await deployment.close();
	}
}

/** What nodes know of each other is older if beats are collected, and so are the beginnings of gaps. */
function toleranceOf(condition: Condition | undefined, beats: Beats): Tolerance {
	const tolerance = condition?.tolerance ?? NO_TOLERANCE;
	if (beats === 'direct') return tolerance;
	return { ...tolerance, gapBeforeMs: tolerance.gapBeforeMs + COLLECTED_LAG_MS };
}

interface Recorded<B extends Backend> {
	readonly deployment: Deployment<B>;
	/** Of each node. */
	readonly reports: readonly NodeReport[];
	readonly outage: Outage;
	readonly fault: Fault<B>;
	readonly tolerance: Tolerance;
	/** The longest delay of the counting process. The nodes, on the same machine, may be as late with a heartbeat. */
	readonly lagMs: number;
}

function recordOf<B extends Backend>({ deployment, reports, outage, fault, tolerance, lagMs }: Recorded<B>): Run {
	const { nodes, receivers, backend } = deployment;
	const named = reports.map((report, i) => ({ node: nodes[i]?.name ?? '', report }));
	return {
		...outage,
		impact: (node, topic) => {
			const impact = fault.impact(node, topic, backend);
			return impact !== 'interrupted' && tolerance.interrupted.includes(node) ? 'possible' : impact;
		},
		slackBefore: (fault.gapSlackMs ?? GAP_SLACK_MS) + tolerance.gapBeforeMs + lagMs,
		slackAfter: MAX_RECOVERY_MS + tolerance.recoveryMs,
		clocks: tolerance.clocks,
		receivers,
		publishers: named.map(({ node, report }) => ({ node, channels: report.sent })),
		gaps: named.flatMap(({ node, report }) => report.gaps.map((gap) => ({ node, ...gap }))),
	};
}

/** Returns incidents that no fault may cause, each as a sentence. */
function incidents({ nodes, receivers }: Deployment, reports: readonly NodeReport[]): string[] {
	const unhandled = reports.flatMap((report, i) => report.unhandled.map((what) => `on ${nodes[i]?.name}: ${what}`));
	const rejections = reports.flatMap(({ rejections }) =>
		[...rejections.keys()].filter((name) => !REJECTIONS.has(name)),
	);
	const gone = receivers
		.filter((receiver) => receiver.until === undefined && !receiver.isConnected())
		.map(({ name }) => name);
	return [
		...unhandled.map((what) => `unhandled ${what}`),
		...rejections.map((name) => `a publish was rejected with ${name}`),
		...gone.map((name) => `client ${name} lost its connection`),
	];
}
