import { startRedis, type RedisServer } from '@orijs/testkit';
import { type Attack, DEFAULT_KEPT_MIB, DEFAULT_LOG_BYTES, type Size } from './attack.ts';
import { Target } from './target.ts';

const MIB = 2 ** 20;
/** How often memory is read during an attack, in milliseconds. */
const READ_EVERY_MS = 100;
/** How long the server is watched with only its other client, before and after an attack, in milliseconds. */
const QUIET_MS = { full: 1_000, short: 300 };
/**
 * How long the well-behaved client may wait for an answer, in milliseconds. The attackers run on the same machine and
 * compete for its processors.
 */
const MAX_ANSWER_MS = 2_000;
/** A Redis with little memory, which fails writes when it is full. */
const REDIS_ARGS = ['--maxmemory', '48mb', '--maxmemory-policy', 'noeviction'];

/** What was measured before, during and after an attack. */
export interface Measured {
	readonly seconds: number;
	readonly sentBytes: number;
	/** Resident memory of the server, in MiB. */
	readonly memory: { readonly before: number; readonly peak: number; readonly after: number };
	/** The share of one processor that the server used. */
	readonly cpu: { readonly before: number; readonly during: number; readonly after: number };
	readonly logBytes: number;
	/** The longest wait of the well-behaved client for an answer, in milliseconds. */
	readonly slowest: { readonly before: number; readonly during: number; readonly after: number };
	readonly notes: readonly string[];
	/** A text for each bound that was exceeded and each other fault; empty if there is nothing to report. */
	readonly broken: readonly string[];
}

/** Runs an attack against its own server process. */
export async function measure(attack: Attack, size: Size): Promise<Measured> {
	const redis = attack.redis === true ? await startRedis({ args: REDIS_ARGS }) : undefined;
	const target = await Target.start(attack.limits ?? {}, redis);
	try {
		return await measureTarget(attack, target, size);
	} finally {
		await target.stop();
		await redis?.stop();
	}
}

async function measureTarget(attack: Attack, target: Target, size: Size): Promise<Measured> {
	await target.noticed();
	const quietMs = size(QUIET_MS.full, QUIET_MS.short);
	const before = await quietly(target, quietMs);
	const logBefore = target.server.outputBytes();
	const startedAt = performance.now();

	const over = new AbortController();
	let peak = 0;
	const watching = (async () => {
		while (!over.signal.aborted) {
			peak = Math.max(peak, (await target.ask({ do: 'read' })).rss);
			await Bun.sleep(READ_EVERY_MS);
		}
	})();
	const broken: string[] = [];
	try {
		await attack.run(target, size);
	} catch (error) {
		broken.push(error instanceof Error ? error.message : String(error));
	}
	const seconds = (performance.now() - startedAt) / 1_000;
	const { cpuMs } = await target.ask({ do: 'read' });
	const during = await target.noticed();
	over.abort();
	await watching;
	await target.leave();
	const after = await quietly(target, quietMs);

	const measured: Omit<Measured, 'broken'> = {
		seconds,
		sentBytes: target.sentBytes,
		memory: { before: before.rss / MIB, peak: peak / MIB, after: after.rss / MIB },
		cpu: { before: before.cpu, during: (cpuMs - before.cpuMs) / 1_000 / seconds, after: after.cpu },
		logBytes: target.server.outputBytes() - logBefore,
		slowest: { before: before.slowestMs, during: during.slowestMs, after: after.slowestMs },
		notes: target.notes,
	};
	broken.push(...brokenBounds(attack, measured), ...(await leftovers(attack, target)));
	return { ...measured, broken };
}

interface Quiet {
	readonly rss: number;
	readonly cpuMs: number;
	/** The share of one processor. */
	readonly cpu: number;
	readonly slowestMs: number;
}

/** Watches the server while only the well-behaved client is connected. */
async function quietly(target: Target, forMs: number): Promise<Quiet> {
	const { cpuMs: cpuBefore } = await target.ask({ do: 'settle' });
	await target.noticed();
	const from = performance.now();
	await Bun.sleep(forMs);
	const { rss, cpuMs } = await target.ask({ do: 'read' });
	const cpu = (cpuMs - cpuBefore) / (performance.now() - from);
	return { rss, cpuMs, cpu, slowestMs: (await target.noticed()).slowestMs };
}

function brokenBounds({ bounds }: Attack, { memory, cpu, logBytes, slowest }: Omit<Measured, 'broken'>): string[] {
	const {
		peakMib,
		keptMib = DEFAULT_KEPT_MIB,
		cpuShare = Infinity,
		logBytes: maxLogBytes = DEFAULT_LOG_BYTES,
	} = bounds;
	const broken: string[] = [];
	const atMost = (what: string, value: number, limit: number, unit = ''): void => {
		if (value > limit) broken.push(`${what}: ${value.toFixed(value < 10 ? 2 : 0)}${unit}, at most ${limit}`);
	};
	atMost('growth of memory during the attack', memory.peak - memory.before, peakMib, ' MiB');
	atMost('growth of memory after the attack', memory.after - memory.before, keptMib, ' MiB');
	atMost('share of one processor', cpu.during, cpuShare);
	atMost('size of the log', logBytes, maxLogBytes, ' bytes');
	atMost('slowest answer to the other client', Math.max(slowest.during, slowest.after), MAX_ANSWER_MS, ' ms');
	return broken;
}

/** Returns what should not remain once the attackers have left. */
async function leftovers({ bounds }: Attack, target: Target): Promise<string[]> {
	const broken: string[] = [];
	const { failures, topics } = await target.ask({ do: 'read' });
	const { missed, closes } = await target.noticed();
	for (const failure of failures) broken.push(`server: ${failure}`);
	if (topics !== 1) broken.push(`${topics} topics on the node, instead of only that of the other client`);
	if (missed > 0) broken.push(`the other client missed ${missed} messages`);
	if (closes > 0) broken.push('the other client lost its connection');
	const unescaped = UNESCAPED.exec(target.server.output());
	if (unescaped !== null) broken.push(`unescaped character in the log: U+${unescaped[0].codePointAt(0)?.toString(16)}`);
	if (target.redis !== undefined) broken.push(...(await keysLeft(bounds.redisKeys ?? 0, target.redis)));
	return broken;
}

/** Characters that change how a log is displayed or split, except the line feed. */
const UNESCAPED = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/** The keys of heartbeats, which exist as long as a node runs. */
const OF_HEARTBEATS = /^\{orijs:!\}:(beats|seen|nodes)$/;

async function keysLeft(allowed: number, redis: RedisServer): Promise<string[]> {
	const all = (await redis.command('KEYS', '*')) as string[];
	const keys = all.filter((key) => !OF_HEARTBEATS.test(key));
	return keys.length > allowed ? [`${keys.length} keys left in Redis, at most ${allowed}`] : [];
}
