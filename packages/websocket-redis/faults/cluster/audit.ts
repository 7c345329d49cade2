import { hasClosed, isIn, matchesThroughout, mayMatch } from './matching.ts';
import type { NodeLife, SettledAction, SocketLife, Span } from './lives.ts';
import type { Said } from './protocol.ts';

/** How much longer than its time limit an action may take, in milliseconds, plus what its process was late. */
const HANGS_AFTER_MS = 500;
/** An `emit` has no time limit: it takes until the backend has confirmed it, or is known to be away. */
const EMIT_MS = 5_000;
/** How long a node takes to stop at most, in milliseconds. */
const STOPS_WITHIN_MS = 10_000;
/** How long after it listens the others know of a node, in milliseconds. */
const KNOWN_AFTER_MS = 3_000;
/** How long after its links are repaired a node is connected again, in milliseconds. */
const NOTICED_AFTER_MS = 2_000;
/** What nodes say of their connections with their beats may be as old as this, in milliseconds. */
const STALE_MS = 8_000;

/** Something that must not be. */
export interface Finding {
	readonly kind: 'overstated' | 'hung' | 'rejected';
	/** The process that acted, and when, in milliseconds since the epoch. */
	readonly by: string;
	readonly at: number;
	readonly what: string;
}

/**
 * Compares what actions said with what was done.
 *
 * @param nodes all processes of all nodes
 * @param endAt when the run ended
 */
export function audit(nodes: readonly NodeLife[], endAt: number): Finding[] {
	return nodes.flatMap((origin) => [
		...origin.settled.flatMap((settled) => auditAction(nodes, origin, settled)),
		...origin.unsettled.flatMap(({ action, from }): Finding[] => {
			// It was killed, or the run ended before the time limit.
			const until = Math.min(origin.until, endAt);
			const lateMs = overlapMs(origin.frozen, { from, until });
			if (until - from < action.timeoutMs + 2 * HANGS_AFTER_MS + lateMs) return [];
			const what = `${action.do} has not settled after ${until - from} ms`;
			return [{ kind: 'hung', by: origin.process, at: from, what }];
		}),
	]);
}

function auditAction(nodes: readonly NodeLife[], origin: NodeLife, settled: SettledAction): Finding[] {
	const { action, said, error, tookMs, lateMs } = settled;
	const found: Finding[] = [];
	const find = (kind: Finding['kind'], what: string): void =>
		void found.push({ kind, by: origin.process, at: settled.span.from, what: `${action.do} ${what}` });
	const limitMs = action.do === 'emit' ? EMIT_MS : action.timeoutMs;
	if (tookMs > limitMs + HANGS_AFTER_MS + lateMs)
		find('hung', `took ${tookMs} ms of ${limitMs}, and its node was late for ${lateMs}`);
	if (said === undefined) {
		if (!mayReject(origin, settled)) find('rejected', `rejected: ${error}`);
		return found;
	}
	const known = nodes.filter((node) => !isUnknown(node, origin, settled, said));
	for (const check of CHECKS) for (const what of check(nodes, settled, said, known)) find('overstated', what);
	return found;
}

/** A message may not be accepted by the backend, and a node that stops does nothing more. */
function mayReject({ until }: NodeLife, { action, span, error = '' }: SettledAction): boolean {
	if (action.do === 'emit' && error.startsWith('BusUnavailableError')) return true;
	return error.startsWith('ProviderStoppedError') && until - span.until < STOPS_WITHIN_MS;
}

/**
 * Whether a node can't be named, because the one that acts was cut off before it could hear of it. It says all the same
 * that not all have answered.
 */
function isUnknown(node: NodeLife, origin: NodeLife, { span }: SettledAction, said: Said): boolean {
	const isAway = origin.away.some(({ from, until }) => from < span.until && until > span.from - NOTICED_AFTER_MS);
	if (!isAway || Number(said.answered) >= Number(said.nodes)) return false;
	const since = { from: node.listeningAt, until: span.from };
	return span.from - node.listeningAt - overlapMs(origin.away, since) < KNOWN_AFTER_MS;
}

/** No node has answered and is named, and no more have answered than there were. */
function answersOf(nodes: readonly NodeLife[], { action, span }: SettledAction, said: Said): string[] {
	if (said.nodes === undefined || said.answered === undefined || said.unanswered === undefined) return [];
	const wrong: string[] = [];
	if (said.answered + said.unanswered.length > said.nodes)
		wrong.push(`asked ${said.nodes} nodes, but ${said.answered} answered and ${said.unanswered.length} are named`);
	// What nodes have said with their beats counts as their answer.
	const able =
		action.do === 'connectionCount'
			? nodes.filter((node) => isThere(node, { ...span, from: span.from - STALE_MS }))
			: nodes.filter((node) => isThere(node, span) && !isFrozenThroughout(node, span));
	if (said.answered > able.length) wrong.push(`had ${said.answered} answers, but only ${able.length} could`);
	const unknown = said.unanswered.filter((id) => !nodes.some(({ nodeId }) => nodeId === id));
	if (unknown.length > 0) wrong.push(`names nodes that never were: ${unknown.join(' ')}`);
	return wrong;
}

/** Not more sockets were met than there is a trace of. */
function overstatedSockets(nodes: readonly NodeLife[], { action, span }: SettledAction, said: Said): string[] {
	if (said.asked !== undefined) {
		const asked = nodes.flatMap((node) => node.asked.filter((at) => at >= span.from && at <= span.until));
		if (said.asked > asked.length) return [`asked ${said.asked} times, in truth ${asked.length}`];
	}
	if (said.sockets === undefined) return [];
	const done = nodes.flatMap((node) => [...node.sockets.values()].filter((socket) => isDone(socket, node)));
	if (said.sockets <= done.length) return [];
	return [`met ${said.sockets} sockets, in truth ${done.length}`];

	function isDone(socket: SocketLife, node: NodeLife): boolean {
		switch (action.do) {
			case 'disconnect':
				// Of a process that was killed there is no trace.
				return hasClosed(socket, action.code) || (node.until <= span.until && mayMatch(socket, action.target, span));
			case 'subscribe':
				return mayMatch(socket, action.target, span) && isIn(socket, action.topic, span, 'sometime');
			case 'unsubscribe':
				return socket.removals.includes(action.code);
			case 'connections':
			case 'reauthorize':
				return mayMatch(socket, action.target, span);
			default:
				return false;
		}
	}
}

/** What was not done on a node that was there all the time, although that node is not named. */
function untouchedSockets(
	_: readonly NodeLife[],
	{ action, span }: SettledAction,
	said: Said,
	known: readonly NodeLife[],
): string[] {
	// Some that it did not know yet have not answered: it says so, without their names.
	if (Number(said.nodes) > Number(said.answered) + Number(said.unanswered?.length)) return [];
	const unnamed = known.filter(({ nodeId }) => !said.unanswered?.includes(nodeId));
	return unnamed.flatMap((node) => {
		const untouched = [...node.sockets.values()].filter(isUntouched).map(({ socketId }) => socketId);
		return untouched.length === 0 ? [] : [`does not name ${node.process}, which left out ${untouched.join(' ')}`];
	});

	function isUntouched(socket: SocketLife): boolean {
		switch (action.do) {
			case 'disconnect':
				return (
					!action.except?.includes(socket.socketId) &&
					(matchesThroughout(socket, action.target, span) || cameLater(socket, action.target, span))
				);
			case 'subscribe':
				return matchesThroughout(socket, action.target, span) && !isIn(socket, action.topic, span, 'sometime');
			case 'unsubscribe':
				return matchesThroughout(socket, action.target, span) && isIn(socket, action.topic, span, 'throughout');
			case 'connections':
				return (
					matchesThroughout(socket, action.target, span) &&
					said.hasMore !== true &&
					!said.connections?.some(({ socketId }) => socketId === socket.socketId)
				);
			default:
				return false;
		}
	}
}

/** What an action on a user kept for connections in their guards has to meet: from before the call, and open later. */
function cameLater(socket: SocketLife, target: unknown, { from }: Span): boolean {
	if (typeof target !== 'object' || target === null || !('userId' in target)) return false;
	if (target.userId !== socket.userId || socket.from === Infinity) return false;
	const wasInGuards = socket.upgradedAt < from - IN_GUARDS_MS && socket.from > from;
	return wasInGuards && socket.until - socket.from > CLOSED_WITHIN_MS;
}

/** For how long a connection must have been in its guards, and how soon it must be closed after, in milliseconds. */
const IN_GUARDS_MS = 100;
const CLOSED_WITHIN_MS = 1_000;

/** Connections that are listed twice, or are others than they are said to be. */
function wronglyListed(nodes: readonly NodeLife[], { action, span }: SettledAction, said: Said): string[] {
	if (action.do !== 'connections' || said.connections === undefined) return [];
	const seen = new Set<string>();
	return said.connections.flatMap(({ socketId, userId, nodeId }) => {
		if (seen.has(socketId)) return [`lists ${socketId} twice`];
		seen.add(socketId);
		const node = nodes.find((each) => each.nodeId === nodeId);
		const socket = node?.sockets.get(socketId);
		if (socket === undefined) return [`lists ${socketId}, which ${nodeId} does not have`];
		if (socket.userId !== userId) return [`lists ${socketId} as ${userId}, which is ${socket.userId}`];
		return mayMatch(socket, action.target, span) ? [] : [`lists ${socketId}, which does not match`];
	});
}

function wrongCount(
	nodes: readonly NodeLife[],
	{ action, span }: SettledAction,
	said: Said,
	known: readonly NodeLife[],
): string[] {
	if (said.count === undefined) return [];
	const window = action.do === 'connectionCount' ? { ...span, from: span.from - STALE_MS } : span;
	const topic = action.do === 'subscriberCount' ? action.topic : undefined;
	let [least, most] = [0, 0];
	for (const node of nodes) {
		const [low, high] = boundsOf(node, topic, window);
		most += high;
		const isNamed = said.unanswered?.includes(node.nodeId) || !known.includes(node);
		if (!isNamed && node.until > span.until) least += low;
	}
	if (said.count > most) return [`counted ${said.count}, although there were never more than ${most}`];
	return said.count < least ? [`counted ${said.count}, although all but those named had at least ${least}`] : [];
}

/** The least and the most sockets that a node had in a time, in a topic or at all. */
function boundsOf({ sockets }: NodeLife, topic: string | undefined, window: Span): readonly [number, number] {
	const all = [...sockets.values()];
	const target = topic === undefined ? 'all' : { topic };
	return [
		all.filter((socket) => matchesThroughout(socket, target, window)).length,
		all.filter((socket) => mayMatch(socket, target, window)).length,
	];
}

/** Answers that no node has given, and nodes that are neither among those that answered nor named. */
function wrongAnswers(
	nodes: readonly NodeLife[],
	{ action, span }: SettledAction,
	said: Said,
	known: readonly NodeLife[],
): string[] {
	const twice = nodes
		.filter(({ handled }) => (handled.get(action.n) ?? 0) > 1)
		.map(({ process }) => `was handled twice by ${process}`);
	if (action.do !== 'request') return twice;
	const answers = said.answers ?? [];
	const wrong = answers.flatMap(([from, by]) => {
		const node = nodes.find(({ nodeId }) => nodeId === from);
		return from === by && node?.handled.has(action.n) ? [] : [`has an answer of ${from} that it did not give`];
	});
	const named = new Set([...answers, ...(said.errors ?? [])].map(([from]) => from).concat(said.unanswered ?? []));
	if (named.size !== answers.length + (said.errors?.length ?? 0) + (said.unanswered?.length ?? 0))
		wrong.push('has a node more than once');
	if (action.to === 'all') {
		const leftOut = known.filter(
			(node) =>
				node.listeningAt < span.from - KNOWN_AFTER_MS &&
				Math.min(node.stoppingAt, node.until) > span.until &&
				!named.has(node.nodeId),
		);
		wrong.push(...leftOut.map(({ process }) => `says nothing of ${process}`));
	}
	return [...wrong, ...twice];
}

function isThere({ from, until }: NodeLife, span: Span): boolean {
	return from <= span.until && until >= span.from;
}

function isFrozenThroughout({ frozen }: NodeLife, { from, until }: Span): boolean {
	return frozen.some((span) => span.from < from && span.until > until);
}

function overlapMs(spans: readonly Span[], { from, until }: Span): number {
	return spans.reduce((sum, span) => sum + Math.max(0, Math.min(until, span.until) - Math.max(from, span.from)), 0);
}

/**
 * Each returns what is wrong about what an action said: the rest of sentences. `known` are the nodes that must be named
 * if they have not answered.
 */
const CHECKS: readonly ((
	nodes: readonly NodeLife[],
	settled: SettledAction,
	said: Said,
	known: readonly NodeLife[],
) => string[])[] = [answersOf, overstatedSockets, untouchedSockets, wronglyListed, wrongCount, wrongAnswers];
