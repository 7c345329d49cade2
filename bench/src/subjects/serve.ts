import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { answerRequests } from '@orijs/testkit/child';
import { now } from '../clock.ts';
import { stamp } from '../load/stamp.ts';
import { Credit } from './credit.ts';
import { jsonPayload } from './json-payload.ts';
import { sleep, turn } from './turns.ts';
import type {
	ChurnWork,
	PublishWork,
	PacedWork,
	SubjectDescription,
	SubjectRequest,
	SubscribeWork,
	WorkReport,
} from './requests.ts';
import { countMembers, joinOrLeave, presenceOf, watch } from './presence-work.ts';
import type { StartSubject, Subject, SubjectSettings } from './subject.ts';

/** Runs a subject in this process, with the settings from the command line. Works on Bun and Node. */
export async function serve(start: StartSubject): Promise<void> {
	const { timesHandOff, ...settings } = JSON.parse(process.argv[2] ?? '{}') as Omit<SubjectSettings, 'onHandOff'> & {
		timesHandOff?: boolean;
	};
	let failures = 0;
	process.on('unhandledRejection', () => failures++);

	const handOffTimes: number[] = [];
	const subject = await start({
		...settings,
		...(timesHandOff && { onHandOff: (payload) => handOffTimes.push(now() - stamp.read(payload)) }),
	});
	const credit = new Credit();
	const creditPort = await credit.listen();

	async function timed(work: () => Promise<void>): Promise<WorkReport> {
		failures = 0;
		const startedAt = now();
		await work();
		return { startedAt, endedAt: now(), failures };
	}

	answerRequests((body): unknown => {
		const request = body as SubjectRequest;
		switch (request.do) {
			case 'describe': {
				const { port, path, hello, compresses = false, hasBothKinds = false } = subject;
				return { port, path, hello, compresses, hasBothKinds, creditPort } satisfies SubjectDescription;
			}
			case 'count-ready':
				return subject.readyClients();
			case 'publish':
				return timed(() => publish(subject, request, credit));
			case 'publish-paced':
				return timed(() => publishPaced(subject, request));
			case 'hand-off times':
				return handOffTimes.splice(0);
			case 'churn':
				return timed(() => churn(subject, request));
			case 'subscribe':
				return timed(() => subscribe(subject, request));
			case 'join':
			case 'leave':
				return timed(() => joinOrLeave(presenceOf(subject), request));
			case 'watch':
				return timed(() => watch(presenceOf(subject), request));
			case 'count-members':
				return countMembers(presenceOf(subject), request.topics);
			case 'memory':
				return residentBytes();
		}
	});
}

async function publish(subject: Subject, work: PublishWork, credit: Credit): Promise<void> {
	const { count, topics, perTurn, wireBytes, windowBytes } = work;
	const payload = work.isJson ? jsonPayload(work.size) : 'x'.repeat(work.size);
	credit.reset();
	for (let sent = 0; sent < count;) {
		const end = Math.min(count, sent + perTurn);
		for (; sent < end; sent++) subject.publish(topics[sent % topics.length] as string, payload);
		await turn();
		if (!(await credit.atMost(windowBytes, sent * wireBytes))) return;
	}
}

async function publishPaced(subject: Subject, work: PacedWork): Promise<void> {
	const { count, topics, perSecond, size } = work;
	const filling = 'x'.repeat(size - stamp.length);
	const startedAt = now();
	for (let sent = 0; sent < count;) {
		const due = Math.min(count, Math.floor(((now() - startedAt) / 1e9) * perSecond) + 1);
		for (; sent < due; sent++) subject.publish(topics[sent % topics.length] as string, stamp.write(now()) + filling);
		const waitMs = (startedAt + (sent / perSecond) * 1e9 - now()) / 1e6;
		// Timers can fire a millisecond late, so the last part of a long wait is spent polling the event loop.
		await (waitMs > 2 ? sleep(waitMs - 1.5) : turn());
	}
}

async function churn(subject: Subject, { clients, topics, rounds }: ChurnWork): Promise<void> {
	for (let round = 0; round < rounds; round++) {
		const pending: unknown[] = [];
		for (let client = 0; client < clients; client++)
			pending.push(subject.subscribe(client, topics[client % topics.length] as string));
		await Promise.all(pending.splice(0));
		for (let client = 0; client < clients; client++)
			pending.push(subject.unsubscribe(client, topics[client % topics.length] as string));
		await Promise.all(pending);
	}
}

async function subscribe(subject: Subject, { clients, topicsEach }: SubscribeWork): Promise<void> {
	const pending: unknown[] = [];
	for (let client = 0; client < clients; client++) {
		for (let topic = 0; topic < topicsEach; topic++) pending.push(subject.subscribe(client, `own:${client}:${topic}`));
	}
	await Promise.all(pending);
}

function collectGarbage(): void {
	if ('Bun' in globalThis) return Bun.gc(true);
	setFlagsFromString('--expose-gc');
	runInNewContext('gc()');
}

/** Returns the resident memory after repeated garbage collection. */
async function residentBytes(): Promise<number> {
	for (let round = 0; round < 5; round++) {
		collectGarbage();
		await sleep(50);
	}
	return process.memoryUsage.rss();
}
