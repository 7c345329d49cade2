import type { SeenEnd } from './cluster-client.ts';
import type { NodeLife, SettledAction, SocketLife } from './lives.ts';
import { mayMatch } from './matching.ts';
import type { Action } from './protocol.ts';

/**
 * How much later an action may meet a socket, in milliseconds: its node was frozen, and then keeps it for connections
 * in their guards.
 */
const KEPT_MS = 10_000;
/** The code with which a client itself closes a connection on which nothing arrives. */
const HEARTBEAT_LOST = 4000;
/** How soon a client sees the end of its connection, in milliseconds. */
const SEEN_WITHIN_MS = 1_000;

/** Returns what actions did to sockets that they were not for: sentences. */
export function astray(nodes: readonly NodeLife[]): string[] {
	const calls = new Map<string, Pick<SettledAction, 'action' | 'span'>>();
	const longest = (action: Action, from: number): void => {
		const span = { from, until: from + action.timeoutMs + KEPT_MS };
		if ('code' in action) calls.set(action.code, { action, span });
	};
	for (const { settled, unsettled } of nodes) {
		for (const { action, span } of settled) longest(action, span.from);
		for (const { action, from } of unsettled) longest(action, from);
	}
	return nodes.flatMap(({ sockets }) => [...sockets.values()].flatMap(wrongsOf));

	function wrongsOf(socket: SocketLife): string[] {
		return [...socket.removals, codeOf(socket.end?.reason)].flatMap((code) => {
			const call = calls.get(code);
			if (call === undefined || !('target' in call.action)) return [];
			return mayMatch(socket, call.action.target, call.span) ? [] : [`${code} met ${socket.socketId}, not its target`];
		});
	}
}

/**
 * Returns what clients saw otherwise than the nodes that closed their connections: sentences.
 *
 * @param ends by the ids of the connections
 */
export function seenOtherwise(nodes: readonly NodeLife[], ends: ReadonlyMap<string, SeenEnd>): string[] {
	const disconnects = new Map<string, Extract<Action, { do: 'disconnect' }>>();
	for (const { settled } of nodes)
		for (const { action } of settled) if (action.do === 'disconnect') disconnects.set(action.code, action);
	return nodes.flatMap(({ sockets, until: endedAt }) =>
		[...sockets.values()].flatMap(({ socketId, end, until }) => {
			const seen = ends.get(socketId);
			const action = disconnects.get(codeOf(end?.reason));
			if (seen === undefined || action === undefined || endedAt < until + SEEN_WITHIN_MS) return [];
			// The client had given up a node that was frozen.
			if (seen.code === HEARTBEAT_LOST) return [];
			const wrong: string[] = [];
			if (codeOf(seen.reason) !== action.code)
				wrong.push(`${socketId} was closed with ${action.code}, and its client saw ${seen.code} ${seen.reason}`);
			else if (seen.isFinal === action.reconnect)
				wrong.push(`the client of ${socketId} ${seen.isFinal ? 'stays away' : 'comes back'} after ${action.code}`);
			return wrong;
		}),
	);
}

/** The code of an action that a close reason begins with; empty without one. */
function codeOf(reason = ''): string {
	return /^a\d+\b/.exec(reason)?.[0] ?? '';
}
