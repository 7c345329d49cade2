/**
 * Breaks things at random in a deployment of three nodes, and counts what every client and every node got and was told.
 *
 *     bun run model                a minute, with a random seed
 *     bun run model 7 180          seed 7, three minutes
 *     bun run model 7 180 clock    the same without faults whose description contains `clock`
 *
 * Exits with 0 if nothing was lost silently, doubled, swapped, leaked or stuck.
 */
import { rmSync } from 'node:fs';
import type { ClientEntry } from './clients/protocol.ts';
import { Deployment } from './deployment/deployment.ts';
import { inject } from './deployment/inject.ts';
import { settle } from './deployment/settle.ts';
import type { NodeJournal } from './ledger/node-records.ts';
import { RunRecord } from './ledger/run-record.ts';
import type { NodeEntry } from './node/protocol.ts';
import { Random } from './random.ts';
import { readJournal } from './record/journal.ts';
import { trueNow } from './record/true-time.ts';
import { type LoggedFault, seconds } from './report/fault-log.ts';
import { outcomeOf } from './report/outcome.ts';
import { describeDamage, type Fault } from './schedule/fault.ts';
import { drawSchedule } from './schedule/draw.ts';
import { collectBeatsAbove, NODES } from './settings.ts';

const MAX_SECONDS = 24 * 3_600;

const seed = Number(process.argv[2] ?? Math.floor(Math.random() * 2 ** 31));
const length = Number(process.argv[3] ?? 60);
const leftOut = process.argv.slice(4);
if (!Number.isSafeInteger(seed) || !(length > 0 && length <= MAX_SECONDS)) {
	console.error(`bun run model [seed] [seconds]: a whole number, and a number from 0 to ${MAX_SECONDS}`);
	process.exit(2);
}

const command = ['bun run model', seed, length, ...leftOut].join(' ');
const random = new Random(seed);
const schedule = drawSchedule(random.fork(), length * 1_000).filter(
	(fault) => !leftOut.some((text) => describeDamage(fault).includes(text)),
);
console.log(
	`${command}: ${schedule.length} faults in ${length} s; beats are collected above ${collectBeatsAbove(seed)} nodes`,
);
const deployment = await Deployment.start(random.fork(), collectBeatsAbove(seed));
const startAt = trueNow();
let isCorrect = false;
try {
	isCorrect = await run();
} finally {
	await deployment.stop();
	if (isCorrect) rmSync(deployment.dir, { recursive: true });
	else console.log(`\nWhat the processes wrote: ${deployment.dir}\nTo repeat: ${command}`);
}
process.exit(isCorrect ? 0 : 1);

/** Returns whether nothing is wrong. */
async function run(): Promise<boolean> {
	const faults: LoggedFault[] = [];
	const problems: string[] = [];
	await deployment.askClients({ do: 'churn' });
	await breakThings(faults, problems);
	print('everything is repaired');
	const rest = await settle(deployment, Math.max(startAt, ...faults.map(({ from }) => from)));
	problems.push(...NODES.flatMap((name) => deployment.nodes[name].crashes));
	const record = new RunRecord(nodeJournals(faults), readJournal<ClientEntry>(deployment.clientsJournal), rest.endAt);
	const outcome = outcomeOf({ record, rest, faults, startAt, problems });
	console.log(outcome.text);
	return outcome.isCorrect;
}

/** Follows the schedule. Resolves once everything is repaired. */
async function breakThings(log: LoggedFault[], problems: string[]): Promise<void> {
	const repaired = schedule.map((fault) => breakOne(fault, random.fork(), log, problems));
	await Promise.all(repaired);
	await Bun.sleep(Math.max(0, startAt + length * 1_000 - trueNow()));
}

async function breakOne(fault: Fault, choices: Random, log: LoggedFault[], problems: string[]): Promise<void> {
	await Bun.sleep(Math.max(0, startAt + fault.at - trueNow()));
	const entry: LoggedFault = { fault, from: trueNow(), until: Infinity };
	log.push(entry);
	print(describeDamage(fault));
	try {
		await inject(deployment, fault, choices);
	} catch (error) {
		problems.push(`${describeDamage(fault)}: ${Bun.inspect(error)}`);
	}
	entry.until = trueNow();
}

function nodeJournals(faults: readonly LoggedFault[]): NodeJournal[] {
	return NODES.flatMap((name) => {
		const ledElsewhere = faults.filter(({ fault }) => fault.kind === 'link led elsewhere' && fault.node === name);
		return deployment.journalsOf(name).map(({ process, path }, i, all): NodeJournal => {
			return { process, entries: readJournal<NodeEntry>(path), isLast: i === all.length - 1, ledElsewhere };
		});
	});
}

function print(what: string): void {
	console.log(`${seconds(trueNow() - startAt).padStart(8)}  ${what}`);
}
