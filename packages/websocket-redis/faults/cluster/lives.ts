import type { Action, Entry, Said } from './protocol.ts';

/** A time, in milliseconds since the epoch. */
export interface Span {
	readonly from: number;
	readonly until: number;
}

/** A process of a node, and what became of it. */
export interface ProcessRecord {
	/** `a1` is the first process of node a. */
	readonly process: string;
	readonly entries: readonly Entry[];
	/** When it was gone; Infinity if it was not. */
	readonly endedAt: number;
	/** When it was frozen. */
	readonly frozen: readonly Span[];
	/** When it was frozen, or its links or the backend were broken. */
	readonly away: readonly Span[];
}

export interface SocketLife {
	readonly socketId: string;
	userId: string;
	/** When its connection began. */
	upgradedAt: number;
	/** From when it was counted; Infinity if it never passed its guards. */
	from: number;
	/** Until when. */
	until: number;
	/** How it was closed; undefined if its process ended before. */
	end: { readonly code: number; readonly reason: string } | undefined;
	/** Its stays in each topic. */
	readonly stays: Map<string, { readonly from: number; until: number }[]>;
	/** The codes with which it was unsubscribed. */
	readonly removals: string[];
}

export interface SettledAction {
	readonly action: Action;
	/** When it was called and when it had settled. */
	readonly span: Span;
	readonly tookMs: number;
	readonly lateMs: number;
	readonly said: Said | undefined;
	readonly error: string | undefined;
}

/** What one process of a node did, and what was done to it. */
export interface NodeLife {
	readonly process: string;
	readonly nodeId: string;
	readonly from: number;
	/** When it listened; Infinity if it never did. */
	readonly listeningAt: number;
	/** When it was told to stop; Infinity if it was not. */
	readonly stoppingAt: number;
	readonly until: number;
	readonly frozen: readonly Span[];
	readonly away: readonly Span[];
	readonly sockets: ReadonlyMap<string, SocketLife>;
	/** The numbers of the messages that arrived, and how often each did. */
	readonly handled: ReadonlyMap<number, number>;
	/** When `authorize.subscribe` was asked. */
	readonly asked: readonly number[];
	readonly settled: readonly SettledAction[];
	/** Actions that had not settled when the process or the run ended. */
	readonly unsettled: readonly { readonly action: Action; readonly from: number }[];
	readonly log: readonly string[];
	readonly failures: readonly string[];
}

/** Reads a journal. Returns undefined if the process ended before it wrote anything. */
export function lifeOf({ process, entries, endedAt, frozen, away }: ProcessRecord): NodeLife | undefined {
	const [first] = entries;
	if (first?.do !== 'start') return undefined;
	const { nodeId, at: from } = first;
	let [listeningAt, stoppingAt] = [Infinity, Infinity];
	const sockets = new Map<string, SocketLife>();
	const handled = new Map<number, number>();
	const asked: number[] = [];
	const pending = new Map<number, { readonly action: Action; readonly from: number }>();
	const settled: SettledAction[] = [];
	const log: string[] = [];
	const failures: string[] = [];
	const socketOf = (socketId: string): SocketLife => {
		let socket = sockets.get(socketId);
		if (socket === undefined) sockets.set(socketId, (socket = newSocket(socketId, endedAt)));
		return socket;
	};

	for (const entry of entries) {
		switch (entry.do) {
			case 'listening':
				listeningAt = entry.at;
				break;
			case 'stopping':
				stoppingAt = entry.at;
				break;
			case 'act':
				pending.set(entry.action.n, { action: entry.action, from: entry.at });
				break;
			case 'acted': {
				const { n, at, tookMs, lateMs, said, error } = entry;
				const call = pending.get(n);
				if (call === undefined) break;
				pending.delete(n);
				settled.push({ action: call.action, span: { from: call.from, until: at }, tookMs, lateMs, said, error });
				break;
			}
			case 'open': {
				const { at, userId, upgradedAt } = entry;
				Object.assign(socketOf(entry.socketId), { from: at, userId, upgradedAt });
				break;
			}
			case 'close': {
				const { at, code, reason } = entry;
				Object.assign(socketOf(entry.socketId), { until: at, end: { code, reason } });
				break;
			}
			case 'in':
				enter(socketOf(entry.socketId), entry.topic, entry.at);
				break;
			case 'out':
				leave(socketOf(entry.socketId), entry.topic, entry.at);
				socketOf(entry.socketId).removals.push(entry.code);
				break;
			case 'asked':
				asked.push(entry.at);
				break;
			case 'handled':
				handled.set(entry.n, (handled.get(entry.n) ?? 0) + 1);
				break;
			case 'log':
				log.push(`${entry.level}: ${entry.message}`);
				break;
			case 'failure':
				failures.push(entry.what);
		}
	}
	const unsettled = [...pending.values()];
	return {
		process,
		nodeId,
		from,
		listeningAt,
		stoppingAt,
		until: endedAt,
		frozen,
		away,
		sockets,
		handled,
		asked,
		settled,
		unsettled,
		log,
		failures,
	};
}

function newSocket(socketId: string, until: number): SocketLife {
	const unknown = { userId: '', upgradedAt: Infinity, from: Infinity };
	return { socketId, ...unknown, until, end: undefined, stays: new Map(), removals: [] };
}

function enter({ stays }: SocketLife, topic: string, at: number): void {
	let all = stays.get(topic);
	if (all === undefined) stays.set(topic, (all = []));
	if (all.at(-1)?.until !== Infinity) all.push({ from: at, until: Infinity });
}

function leave({ stays }: SocketLife, topic: string, at: number): void {
	const stay = stays.get(topic)?.at(-1);
	if (stay?.until === Infinity) stay.until = at;
}
