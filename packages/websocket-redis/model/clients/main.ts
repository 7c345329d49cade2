// All clients: those that last and those that come and go, in one process.

import { answerRequests } from '@orijs/testkit';
import { Random } from '../random.ts';
import { Journal } from '../record/journal.ts';
import { trueNow } from '../record/true-time.ts';
import { CLIENTS_PER_NODE, lastingTopics, userOf } from '../settings.ts';
import { Churn } from './churn.ts';
import { Pending } from './pending.ts';
import type { ClientEntry, ClientSocket, ClientsRequest, ClientsSettings } from './protocol.ts';
import { RecordingClient } from './recording-client.ts';

/** How long what is under way may take once everything works, in milliseconds. */
const SETTLE_MS = 15_000;

const settings = JSON.parse(String(process.env['MODEL_CLIENTS'])) as ClientsSettings;
const journal = new Journal<ClientEntry>(settings.journal);
const pending = new Pending();
const failed = (what: string): void => journal.add({ client: '', at: trueNow(), do: 'failure', what });
process.on('unhandledRejection', (reason) => failed(`an unhandled rejection: ${Bun.inspect(reason)}`));
process.on('uncaughtException', (error) => failed(`an uncaught exception: ${Bun.inspect(error)}`));

let visitors = 0;
const newClient = (name: string, group: number): RecordingClient => {
	const user = userOf(name);
	const query = user === undefined ? '' : `?user=${user}`;
	return new RecordingClient(name, `${settings.urls[group % settings.urls.length]}${query}`, journal, pending);
};
const lasting = Array.from({ length: CLIENTS_PER_NODE * settings.urls.length }, (_, i) => newClient(`c${i}`, i));
let churn: Churn | undefined;

answerRequests((request) => {
	const message = request as ClientsRequest;
	switch (message.do) {
		case 'start':
			return start();
		case 'churn':
			churn = new Churn({
				random: new Random(settings.seed),
				lasting,
				newClient: (group) => newClient(`v${++visitors}`, group),
				groups: settings.urls.length,
			});
			return;
		case 'settle':
			return settle();
		case 'sockets':
			return everybody().flatMap(({ name, socketId }): ClientSocket[] =>
				socketId === undefined ? [] : [{ client: name, socketId }],
			);
		case 'missing':
			return everybody().flatMap((client) => client.missing(message.rounds));
		case 'leave':
			return leave();
	}
});

function everybody(): RecordingClient[] {
	return [...lasting, ...(churn?.visitors ?? [])];
}

async function start(): Promise<void> {
	await Promise.all(
		lasting.map(async (client, i) => {
			await client.connect();
			await Promise.all(lastingTopics(i).map((topic) => client.subscribe(topic)));
		}),
	);
}

/** Returns what did not settle in time. */
async function settle(): Promise<string[]> {
	await Promise.race([churn?.stop(), Bun.sleep(SETTLE_MS)]);
	return unsettled();
}

async function leave(): Promise<string[]> {
	const left = everybody().map(async (client) => {
		await Promise.all(client.topics.map((topic) => client.unsubscribe(topic)));
		await client.close();
	});
	await Promise.race([Promise.all(left), Bun.sleep(SETTLE_MS)]);
	journal.flush();
	return unsettled();
}

async function unsettled(): Promise<string[]> {
	for (const end = performance.now() + SETTLE_MS; pending.list.length > 0 && performance.now() < end;) {
		await Bun.sleep(10);
	}
	return pending.list;
}
