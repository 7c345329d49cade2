import type { ClientEntry } from '../clients/protocol.ts';
import type { Finding } from '../../faults/presence/records.ts';
import type { NodeEntry } from '../node/protocol.ts';
import type { LoggedFault } from '../report/fault-log.ts';
import { clientReceivers } from './client-records.ts';
import { type NodeJournal, nodeReceiver, publishedBy } from './node-records.ts';
import { presenceFindings } from './presence.ts';
import type { Ledger } from './records.ts';

/** What the processes of a run wrote. */
export class RunRecord {
	readonly ledger: Ledger;
	readonly #nodes: readonly NodeJournal[];
	readonly #clients: readonly ClientEntry[];

	/** @param endAt when the run was over; true time */
	constructor(nodes: readonly NodeJournal[], clients: readonly ClientEntry[], endAt: number) {
		this.#nodes = nodes;
		this.#clients = clients;
		this.ledger = {
			published: nodes.flatMap(publishedBy),
			receivers: [...clientReceivers(clients, endAt), ...nodes.map((journal) => nodeReceiver(journal, endAt))],
		};
	}

	/** What must not happen in a process, with its time. */
	get failures(): { readonly at: number; readonly what: string }[] {
		const entries: (NodeEntry | ClientEntry)[] = [
			...this.#nodes.flatMap((journal) => journal.entries),
			...this.#clients,
		];
		return entries.flatMap((entry) => (entry.do === 'failure' ? [{ at: entry.at, what: entry.what }] : []));
	}

	/** Processes that stopped in order although publishes had not settled: sentences. */
	get stuck(): string[] {
		return this.#nodes.flatMap(({ process, entries }) =>
			entries.flatMap((entry) =>
				entry.do === 'stopped' && entry.pending > 0 ? [`${entry.pending} publishes of ${process}, which stopped`] : [],
			),
		);
	}

	/** Where presence was not as it had to be. @param faults of the run */
	presence(faults: readonly LoggedFault[], endAt: number): Finding[] {
		const processes = new Map<string, string>();
		for (const { process, entries } of this.#nodes) {
			for (const entry of entries) if (entry.do === 'open') processes.set(entry.socketId, process);
		}
		const processOf = (socketId: string): string => processes.get(socketId) ?? 'none';
		return presenceFindings({ clients: this.#clients, processOf, faults, endAt });
	}

	/** Returns the process that a client was connected to at this time, `none` if it was not. */
	processOf(client: string, at: number): string {
		let socketId: string | undefined;
		for (const entry of this.#clients) {
			if (entry.client !== client || entry.at > at) continue;
			if (entry.do === 'ready') ({ socketId } = entry);
			else if (entry.do === 'lost') socketId = undefined;
		}
		const node = this.#nodes.find(({ entries }) =>
			entries.some((entry) => entry.do === 'open' && entry.socketId === socketId),
		);
		return node?.process ?? 'none';
	}
}
