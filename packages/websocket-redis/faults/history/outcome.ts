import { discrepancies } from './discrepancies.ts';
import type { HistoryDeployment } from './history-deployment.ts';
import type { RecordingClient } from './recording-client.ts';

/** The effects of a fault, summed over all clients. */
export interface Outcome {
	/** Messages that were accepted and not received. */
	missing: number;
	/** Missing messages that no gap reported. */
	silent: number;
	duplicates: number;
	/** Duplicates of retried messages: Redis loses idempotency keys with its data. */
	retried: number;
	inversions: number;
	/** Recoveries of all missed messages, at least one. */
	recovered: number;
	/** Recoveries that were reported as impossible. */
	unrecovered: number;
	/** Gaps reported to clients. */
	gaps: number;
	/** Messages missing at the clients of the topic without history. */
	plainMissing: number;
}

/** Expected if no message may be lost. */
export const NOTHING_LOST: Partial<Outcome> = {
	missing: 0,
	silent: 0,
	duplicates: 0,
	retried: 0,
	inversions: 0,
	unrecovered: 0,
	gaps: 0,
};

/** Expected if every loss must be reported. */
export const NOTHING_SILENT: Partial<Outcome> = { silent: 0, duplicates: 0, inversions: 0 };

/** Starts counting. The returned function returns the outcome since then; call it once the deployment has settled. */
export function outcomeFrom({ allClients, clients, plainClients, topics }: HistoryDeployment): () => Outcome {
	const eventsBefore = new Map(allClients.map((client) => [client, client.events.length]));
	const first = new Map([...topics].map(([topic, { last }]) => [topic, last + 1]));

	const since = (client: RecordingClient) => {
		const { topic } = client;
		const from = first.get(topic) ?? 0;
		const published = (topics.get(topic)?.published ?? []).slice(from);
		const events = client.events
			.slice(eventsBefore.get(client) ?? 0)
			.map((event) => (event.kind === 'message' ? { ...event, text: String(Number(event.text) - from) } : event));
		return { events, published, ...discrepancies(events, published) };
	};

	return () => {
		const outcome: Outcome = {
			missing: 0,
			silent: 0,
			duplicates: 0,
			retried: 0,
			inversions: 0,
			recovered: 0,
			unrecovered: 0,
			gaps: 0,
			plainMissing: 0,
		};
		for (const client of clients) {
			const { events, published, missing, silent, duplicates, inversions } = since(client);
			outcome.missing += missing.length;
			outcome.silent += silent.length;
			for (const n of duplicates) outcome[published[n]?.wasRetried === true ? 'retried' : 'duplicates']++;
			outcome.inversions += inversions.length;
			for (const event of events) {
				if (event.kind === 'gap') outcome.gaps++;
				if (event.kind !== 'recovered') continue;
				if (!event.recovered) outcome.unrecovered++;
				else if (event.count > 0) outcome.recovered++;
			}
		}
		for (const client of plainClients) outcome.plainMissing += since(client).missing.length;
		return outcome;
	};
}
