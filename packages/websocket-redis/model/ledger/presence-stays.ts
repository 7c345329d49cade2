import type { Stay } from '../../faults/presence/records.ts';
import type { ClientEntry } from '../clients/protocol.ts';
import { keepsPresence, userOf } from '../settings.ts';

/** A connection of a client, from `ready` to its end. */
export interface Connection {
	readonly socketId: string;
	/** The node; `none` if the node wrote nothing of it. */
	readonly node: string;
	readonly from: number;
	until: number;
}

/** A topic that a client has chosen, whatever becomes of its connections. */
interface Choice {
	readonly topic: string;
	readonly askedAt: number;
	from: number;
	until: number;
	goneAt: number;
	/** Whether the client has left it by `@unsubscribe`. */
	isOver: boolean;
}

/** When the topics of a former connection count on the next one, at the latest, in milliseconds after it is ready. */
const RESUBSCRIBED_MS = 1_000;

/** What one client wrote about who is in a topic: its connections, and its stays in topics that keep presence. */
export class ClientStays {
	readonly connections: readonly Connection[];
	readonly stays: readonly Stay[];

	/**
	 * @param entries of this client, in order
	 * @param nodeOf returns the node of a connection
	 */
	constructor(client: string, entries: readonly ClientEntry[], nodeOf: (socketId: string) => string) {
		this.connections = connectionsOf(entries, nodeOf);
		const userId = userOf(client);
		this.stays = choicesOf(entries).flatMap((choice) =>
			this.connections.flatMap((connection, i) => {
				if (choice.goneAt < connection.from || choice.askedAt > connection.until) return [];
				const wasThere = choice.askedAt < connection.from;
				// It may ask for its topics before it is ready.
				const earliest = this.connections[i - 1]?.until ?? -Infinity;
				const askedAt = wasThere ? Math.max(choice.askedAt, earliest) : choice.askedAt;
				const from = Math.max(choice.from, wasThere ? connection.from + RESUBSCRIBED_MS : connection.from);
				const until = Math.min(choice.until, connection.until);
				const { topic } = choice;
				const key = userId === undefined ? `socket:${connection.socketId}` : `user:${userId}`;
				const goneAt = Math.min(choice.goneAt, connection.until);
				const isLeaving = choice.isOver && choice.until <= connection.until;
				const end = isLeaving && choice.goneAt <= connection.until ? 'unsubscribed' : 'disconnected';
				return [{ topic, key, node: connection.node, askedAt, from, until, goneAt, isLeaving, end }];
			}),
		);
	}
}

function connectionsOf(entries: readonly ClientEntry[], nodeOf: (socketId: string) => string): Connection[] {
	const connections: Connection[] = [];
	for (const entry of entries) {
		if (entry.do === 'ready') {
			const { socketId, at } = entry;
			connections.push({ socketId, node: nodeOf(socketId), from: at, until: Infinity });
		} else if (entry.do === 'lost' || entry.do === 'closed') {
			const last = connections.at(-1);
			if (last !== undefined) last.until = Math.min(last.until, entry.at);
		}
	}
	return connections;
}

function choicesOf(entries: readonly ClientEntry[]): Choice[] {
	const choices = new Map<number, Choice>();
	for (const entry of entries) {
		const { at } = entry;
		if (entry.do === 'subscribe') {
			if (!keepsPresence(entry.channel)) continue;
			const open = { from: Infinity, until: Infinity, goneAt: Infinity, isOver: false };
			choices.set(entry.id, { topic: entry.channel, askedAt: at, ...open });
		} else if (entry.do === 'closing') {
			for (const choice of choices.values()) choice.until = Math.min(choice.until, at);
		} else if (entry.do === 'subscribed' || entry.do === 'unsubscribe' || entry.do === 'unsubscribed') {
			const choice = choices.get(entry.id);
			if (choice === undefined) continue;
			if (entry.do === 'subscribed') choice.from = at;
			else if (entry.do === 'unsubscribe') {
				choice.until = Math.min(choice.until, at);
				choice.isOver = true;
			} else choice.goneAt = at;
		}
	}
	return [...choices.values()];
}
