import { discrepancies } from './discrepancies.ts';
import type { HistoryDeployment } from './history-deployment.ts';
import type { RecordingClient } from './recording-client.ts';

/** The effects of a fault, summed over all clients. */
export interface Outcome {
	/** Messages that were accepted, but not received. */
	missing: number;
	/** Missing messages that were not reported by a gap. */
	silent: number;
	duplicates: number;
	/** Duplicates of retried messages, which occur if Redis has lost its data, and with it the idempotency keys. */
	retried: number;
	inversions: number;
	/** Recoveries in which a client received all messages that it had missed, at least one. */
	recovered: number;
	/** Recoveries that were reported as impossible. */
	unrecovered: number;
	/** Gaps reported to clients. */
	gaps: number;
	/** Messages that the clients of the topic without history did not receive. */
	plainMissing: number;
}

/** The expected outcome if no message may be lost. */
export const NOTHING_LOST: Partial<Outcome> = {
	missing: 0,
	silent: 0,
	duplicates: 0,
	retried: 0,
	inversions: 0,
	unrecovered: 0,
	gaps: 0,
};

/** The expected outcome if messages may be lost, but every loss must be reported. */
export const NOTHING_SILENT: Partial<Outcome> = { silent: 0, duplicates: 0, inversions: 0 };

/** Starts counting. Returns a function that returns the outcome since then; call it once the deployment has settled. */
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
