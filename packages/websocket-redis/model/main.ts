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
import { clientReceivers } from './ledger/client-records.ts';
import { count } from './ledger/count.ts';
import { type NodeJournal, nodeReceiver, publishedBy } from './ledger/node-records.ts';
import type { NodeEntry } from './node/protocol.ts';
import { Random } from './random.ts';
import { readJournal } from './record/journal.ts';
import { trueNow } from './record/true-time.ts';
import { type LoggedFault, seconds } from './report/fault-log.ts';
import { table } from './report/table.ts';
import { describeViolations, violationsByFault } from './report/violations.ts';
import { describeDamage } from './schedule/fault.ts';
import { drawSchedule } from './schedule/draw.ts';
import { NODES } from './settings.ts';

const MOST_SECONDS = 24 * 3_600;

const seed = Number(process.argv[2] ?? Math.floor(Math.random() * 2 ** 31));
const length = Number(process.argv[3] ?? 60);
if (!Number.isSafeInteger(seed) || !(length > 0 && length <= MOST_SECONDS)) {
	console.error(`bun run model [seed] [seconds]: a whole number, and a number from 0 to ${MOST_SECONDS}`);
	process.exit(2);
}

const random = new Random(seed);
const leftOut = process.argv.slice(4);
const command = ['bun run model', seed, length, ...leftOut].join(' ');
const schedule = drawSchedule(random.fork(), length * 1_000).filter(
	(fault) => !leftOut.some((text) => describeDamage(fault).includes(text)),
);
console.log(`${command}: ${schedule.length} faults in ${length} s`);
const deployment = await Deployment.start(random.fork());
const startAt = trueNow();
const log: LoggedFault[] = [];
const problems: string[] = [];
let isCorrect = false;
try {
	await deployment.askClients({ do: 'churn' });
	await breakThings();
	console.log(`${seconds(trueNow() - startAt).padStart(8)}  all is repaired`);
	isCorrect = await counted();
} finally {
	await deployment.stop();
	if (isCorrect) rmSync(deployment.dir, { recursive: true });
	else console.log(`What the processes wrote: ${deployment.dir}\nTo repeat: ${command}`);
}
process.exit(isCorrect ? 0 : 1);

/** Follows the schedule. Resolves once everything is repaired. */
async function breakThings(): Promise<void> {
	const running: Promise<void>[] = [];
	for (const fault of schedule) {
		await Bun.sleep(Math.max(0, startAt + fault.at - trueNow()));
		const entry: LoggedFault = { fault, from: trueNow(), until: Infinity };
		log.push(entry);
		console.log(`${seconds(entry.from - startAt).padStart(8)}  ${describeDamage(fault)}`);
		const repaired = inject(deployment, fault, random.fork()).catch((error: unknown) => {
			problems.push(`${describeDamage(fault)} failed: ${Bun.inspect(error)}`);
		});
		running.push(repaired.then(() => void (entry.until = trueNow())));
	}
	await Promise.all(running);
	await Bun.sleep(Math.max(0, startAt + length * 1_000 - trueNow()));
}

/** Waits until all is quiet, and counts. Returns whether nothing is wrong. */
async function counted(): Promise<boolean> {
	const lastKillAt = Math.max(startAt, ...log.map(({ from }) => from));
	const { endAt, unsettled, stuck, leaked } = await settle(deployment, lastKillAt);
	problems.push(...unsettled);

	const journals = NODES.flatMap((name) =>
		deployment.journalsOf(name).map(({ process, path }, i, all): NodeJournal => {
			return { process, entries: readJournal<NodeEntry>(path), isLast: i === all.length - 1 };
		}),
	);
	const clientEntries = readJournal<ClientEntry>(deployment.clientsJournal);
	const ledger = {
		published: journals.flatMap(publishedBy),
		receivers: [...clientReceivers(clientEntries, endAt), ...journals.map((journal) => nodeReceiver(journal, endAt))],
	};
	const counts = count(ledger);
	const failures = [
		...NODES.flatMap((name) => deployment.nodes[name].crashes),
		...[...journals.flatMap(({ entries }) => entries), ...clientEntries].flatMap((entry) =>
			entry.do === 'failure' ? [`at ${seconds(entry.at - startAt)}: ${entry.what}`] : [],
		),
	];
	for (const { process, entries } of journals) {
		for (const entry of entries) {
			if (entry.do === 'stopped' && entry.pending > 0)
				stuck.push(`${entry.pending} publishes of ${process}, which stopped`);
		}
	}

	console.log(
		table([
			['messages published', ledger.published.length],
			['receivers', ledger.receivers.length],
			['deliveries to clients', counts.clients.expected],
			['  missing, told or silently', counts.clients.missing],
			['deliveries to nodes', counts.nodes.expected],
			['  missing, told or silently', counts.nodes.missing],
			['SILENT LOSSES at clients', counts.clients.silent],
			['SILENT LOSSES at nodes', counts.nodes.silent],
			['DUPLICATES', counts.duplicates],
			['INVERSIONS', counts.inversions],
			['GHOSTS', counts.ghosts],
			['LEAKED CHANNELS', leaked.length],
			['STUCK PROMISES', stuck.length],
			['CRASHES, OTHER FAILURES', failures.length + problems.length],
		]),
	);
	const processOf = connections(journals, clientEntries);
	const context = { ledger, faults: log, startAt, processOf };
	if (counts.violations.length > 0) {
		console.log(`\n${violationsByFault(counts.violations, context).join('\n')}`);
		for (const each of describeViolations(counts.violations, context)) console.log(`\n${each}`);
	}
	for (const channel of leaked) console.log(`\nleaked channel: ${channel}`);
	for (const each of stuck) console.log(`\nstuck: ${each}`);
	for (const each of [...failures, ...problems]) console.log(`\nfailure: ${each}`);
	return counts.violations.length + leaked.length + stuck.length + failures.length + problems.length === 0;
}

/** Returns a function that tells which process a client was connected to. */
function connections(
	journals: readonly NodeJournal[],
	clientEntries: readonly ClientEntry[],
): (client: string, at: number) => string {
	const processes = new Map<string, string>();
	for (const { process, entries } of journals) {
		for (const entry of entries) if (entry.do === 'open') processes.set(entry.socketId, process);
	}
	return (client, at) => {
		let process = 'none';
		for (const entry of clientEntries) {
			if (entry.client !== client || entry.at > at) continue;
			if (entry.do === 'ready') process = processes.get(entry.socketId) ?? 'an unknown process';
			else if (entry.do === 'lost') process = 'none';
		}
		return process;
	};
}
